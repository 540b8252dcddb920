//! Roles and row policies, for a server whose users are made in SQL.

use clickhouse::error::Error;
use waybill_schemas::clickhouse::{DATABASE, ROLES};
use waybill_stage::Fault;

use crate::Database;
use crate::failure::code;
use crate::statements::statements;

/// Each is called so behind the database's name and `_`.
const NAMES: [&str; 6] = ["sink", "gateway", "auditor", "eraser", "analyst", "carrier"];

/// What became of the roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Those that were not there before.
    pub made: Vec<String>,
    /// Those that there are now.
    pub there: Vec<String>,
    /// Why others are not, for people. Nothing of the pipeline needs them.
    pub lacking: Vec<String>,
}

/// Why a statement was not carried out.
enum Refused {
    /// Our user may not, or the server keeps no roles.
    Here(String),
    Fault(Fault),
}

impl Database {
    /// Makes the roles that are missing, and what is to be granted to them; a second call changes nothing. Where our
    /// user may not, or the server cannot, that is said, and no fault: users may come from a configuration file.
    pub fn make_roles(&self) -> Result<Roles, Fault> {
        let mut roles = Roles::default();
        match self.make_each(&mut roles) {
            Ok(()) => Ok(roles),
            Err(Refused::Here(why)) => {
                roles.lacking.push(why);
                Ok(roles)
            }
            Err(Refused::Fault(fault)) => Err(fault),
        }
    }

    fn make_each(&self, roles: &mut Roles) -> Result<(), Refused> {
        let users = self.access_names("SELECT name FROM system.users")?;
        let before = self.access_names("SELECT name FROM system.roles")?;
        let of_definers = self.views_of_definers()?;
        for short in NAMES {
            let role = format!("{}_{short}", self.config.database);
            if users.contains(&role) {
                roles.lacking.push(format!(
                    "{role} is the name of a user, who would be granted what the role is to have: no role is made of it"
                ));
                continue;
            }
            if let (true, Some(view)) = (short == "carrier", of_definers.first()) {
                roles.lacking.push(format!(
                    "{role}: the view {view} is read with another user's rights, past the row policies: ALTER TABLE {} \
                     MODIFY SQL SECURITY INVOKER, and migrate again",
                    self.table(view)
                ));
                continue;
            }
            for statement in statements_of(short) {
                self.say(&statement.replace(DATABASE, &self.config.database))?;
            }
            if !before.contains(&role) {
                roles.made.push(role.clone());
            }
            roles.there.push(role);
        }
        Ok(())
    }

    /// Views that show what their definer may see.
    fn views_of_definers(&self) -> Result<Vec<String>, Refused> {
        self.access_names(&format!(
            "SELECT name FROM system.tables WHERE database = '{}' AND engine = 'View' AND definer != '' ORDER BY name",
            self.config.database
        ))
    }

    fn access_names(&self, sql: &str) -> Result<Vec<String>, Refused> {
        self.ask_of_roles("looking at users and roles", async {
            self.client.query_raw(sql).fetch_all::<String>().await
        })
    }

    fn say(&self, sql: &str) -> Result<(), Refused> {
        self.ask_of_roles("making roles", async { self.client.query_raw(sql).execute().await })
    }

    fn ask_of_roles<T>(
        &self,
        doing: &str,
        exchange: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, Refused> {
        let mut refusal = None;
        let answer =
            self.run(doing, async { exchange.await.inspect_err(|error| refusal = here(error)) });
        answer.map_err(|fault| match refusal {
            Some(why) => Refused::Here(format!("{why} ({})", fault.0)),
            None => Refused::Fault(fault),
        })
    }
}

/// Of a refusal that is no fault: why.
fn here(error: &Error) -> Option<&'static str> {
    let Error::BadResponse(text) = error else { return None };
    match code(text)? {
        // ACCESS_DENIED
        497 => Some("our user has no access management"),
        // ACCESS_STORAGE_FOR_INSERTION_NOT_FOUND, ACCESS_STORAGE_READONLY
        514 | 495 => Some(
            "the server keeps no roles that are made in SQL: its user_directories have no writeable one",
        ),
        _ => None,
    }
}

/// The statements about one role.
fn statements_of(short: &str) -> impl Iterator<Item = &'static str> {
    let role = format!("{DATABASE}_{short}");
    let is_of = move |statement: &&str| {
        statement.split(|c: char| c.is_whitespace() || c == ';').any(|word| word == role)
    };
    statements(ROLES).into_iter().filter(is_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each statement is about one role, and what limits it comes before what is granted to it.
    #[test]
    fn every_statement_is_of_one_role_and_policies_come_before_grants() {
        let all = statements(ROLES);
        let count: usize = NAMES.iter().map(|short| statements_of(short).count()).sum();
        assert_eq!(count, all.len());
        for short in NAMES {
            let kinds: Vec<u8> = statements_of(short)
                .map(|s| match s {
                    s if s.contains("CREATE ROLE") => 0,
                    s if s.contains("CREATE ROW POLICY") => 1,
                    s if s.contains("GRANT ") => 2,
                    s => panic!("{s}"),
                })
                .collect();
            assert!(kinds.is_sorted(), "{short}: {kinds:?}");
            assert_eq!(kinds.iter().filter(|kind| **kind == 0).count(), 1, "{short}");
            assert!(kinds.contains(&2), "{short}");
        }
    }

    #[test]
    fn what_a_server_cannot_is_told_from_what_goes_wrong() {
        let of = |text: &str| here(&Error::BadResponse(text.to_owned()));
        assert!(of("Code: 497. DB::Exception: no").unwrap().contains("access management"));
        assert!(of("Code: 514. DB::Exception: no").unwrap().contains("writeable"));
        assert_eq!(of("Code: 241. DB::Exception: memory"), None);
        assert_eq!(here(&Error::TimedOut), None);
    }
}
