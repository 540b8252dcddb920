use std::fmt::Write as _;

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use waybill_kafka::{Acl, create_topics};

use crate::acls::Client;
use crate::commands::publish;
use crate::config::Config;
use crate::exit::Failure;
use crate::registry_file::RegistryFile;

/// Create the topics that are missing, and let those that are there take what is sent
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  waybill topics
  waybill topics --carrier waybill.sealed.acme-line
  waybill topics acls
  waybill topics acls decrypt,validate,enrich aggregate --output commands"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Make this topic of a carrier's too, which a pattern of topics.sealed finds. May come several times
    #[arg(long, value_name = "NAME")]
    carrier: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what each role must be allowed at Kafka: nothing is asked or changed there
    Acls {
        /// Only these: the stages of a process, publish, redrive, erase, audit, state, keys, topics, or a carrier
        #[arg(value_name = "ROLE")]
        roles: Vec<String>,
        /// What the principals' names begin with; a carrier's is its id
        #[arg(long, value_name = "TEXT", default_value = "waybill-")]
        principal_prefix: String,
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// For people, in Markdown
    Table,
    /// What grants it, with Kafka's own tool
    Commands,
    Json,
}

pub fn run(config: &Config, args: Args) -> Result<(), Failure> {
    match args.command {
        None => create(config, &args.carrier),
        Some(Command::Acls { roles, principal_prefix, output }) => {
            print!("{}", list(config, &roles, &principal_prefix, output)?);
            Ok(())
        }
    }
}

fn create(config: &Config, carriers: &[String]) -> Result<(), Failure> {
    for name in carriers {
        publish::topic(config, Some(name))?;
    }
    let changes = create_topics(
        &config.connection()?,
        &config.topics()?,
        carriers,
        config.topics.partitions,
        config.topics.replication,
    )
    .map_err(|e| Failure::unreachable(e.to_string()))?;
    if !changes.created.is_empty() {
        println!("topics: created {}", changes.created.join(", "));
    }
    for set in &changes.set {
        println!("topics: set {set}");
    }
    if changes.created.is_empty() && changes.set.is_empty() {
        println!("topics: all there");
    }
    Ok(())
}

fn list(
    config: &Config,
    roles: &[String],
    prefix: &str,
    output: Output,
) -> Result<String, Failure> {
    let mut listed = Vec::new();
    for client in clients(config, roles)? {
        listed.push((client.name(), client.principal(prefix), client.acls(config)?));
    }
    Ok(match output {
        Output::Table => table(&listed),
        Output::Commands => commands(&listed),
        Output::Json => json(&listed),
    })
}

/// All, or those that are named.
fn clients(config: &Config, roles: &[String]) -> Result<Vec<Client>, Failure> {
    let mut all: Vec<Client> = Client::all().collect();
    // Carriers are registered where decrypt runs.
    if config.carriers.file.exists() {
        let carriers = RegistryFile::new(&config.carriers.file).load()?;
        let own = carriers.iter().filter(|carrier| !carrier.topics().is_empty());
        all.extend(own.map(|carrier| Client::Carrier {
            id: carrier.id().to_owned(),
            topics: carrier.topics().to_vec(),
        }));
    }
    if roles.is_empty() {
        return Ok(all);
    }
    let named = |role: &String| {
        all.iter().find(|client| client.name() == *role).cloned().ok_or_else(|| {
            let names: Vec<String> = all.iter().map(Client::name).collect();
            Failure::config(format!("no role {role:?}; there are: {}", names.join(" ")))
        })
    };
    roles.iter().map(named).collect()
}

type Listed = [(String, String, Vec<Acl>)];

/// What is allowed alike stands in one row.
fn table(listed: &Listed) -> String {
    let mut text = "| role | principal | operations | on |\n|---|---|---|---|\n".to_owned();
    for (role, principal, acls) in listed {
        let mut rows: Vec<(String, String)> = Vec::new();
        for acl in acls {
            let operations: Vec<&str> = acl.operations.iter().map(|o| o.as_str()).collect();
            let kind = acl.resource.as_str();
            let on = if acl.is_prefix { format!("{kind} (PREFIXED)") } else { kind.to_owned() };
            let key = format!("{} | {on}", operations.join(", "));
            let name = format!("`{}`", acl.name);
            match rows.iter_mut().find(|(known, _)| *known == key) {
                Some((_, names)) => {
                    names.push_str(", ");
                    names.push_str(&name);
                }
                None => rows.push((key, name)),
            }
        }
        for (n, (key, names)) in rows.iter().enumerate() {
            let who = if n == 0 { format!("{role} | `{principal}`") } else { " | ".to_owned() };
            let _ = writeln!(text, "| {who} | {key} {names} |");
        }
    }
    text
}

fn commands(listed: &Listed) -> String {
    let mut text = String::new();
    for (role, principal, acls) in listed {
        let _ = writeln!(text, "# {role}");
        for acl in acls {
            let _ = writeln!(text, "{}", acl.command(principal));
        }
    }
    text
}

fn json(listed: &Listed) -> String {
    let each = listed.iter().flat_map(|(role, principal, acls)| {
        acls.iter().map(move |acl| {
            let operations: Vec<&str> = acl.operations.iter().map(|o| o.as_str()).collect();
            json!({
                "role": role,
                "principal": principal,
                "resource_type": acl.resource.as_str(),
                "name": acl.name,
                "pattern_type": acl.pattern_type(),
                "operations": operations,
            })
        })
    });
    format!("{:#}\n", serde_json::Value::Array(each.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- waybill topics acls -->\n";
    const END: &str = "<!-- end -->\n";

    /// `WAYBILL_BLESS=1` writes it anew.
    #[test]
    fn operations_md_has_the_list_as_it_is() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
        let text = std::fs::read_to_string(file).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (listed, after) = rest.split_once(END).unwrap();
        let config = Config::default();
        let now = list(&config, &[], "waybill-", Output::Table).unwrap();
        if std::env::var_os("WAYBILL_BLESS").is_some() {
            std::fs::write(file, format!("{before}{BEGIN}{now}{END}{after}")).unwrap();
            return;
        }
        assert_eq!(listed, now, "docs/operations.md: see CONTRIBUTING.md, \"What tests write\"");
    }

    #[test]
    fn a_role_that_is_not_there_is_refused_with_those_that_are() {
        let config = Config::default();
        let said = list(&config, &["decrpyt".to_owned()], "", Output::Json).unwrap_err().message;
        assert!(said.contains("decrypt,validate,enrich"), "{said}");
    }

    #[test]
    fn each_output_says_the_same() {
        let config = Config::default();
        let of = |output| list(&config, &["enrich".to_owned()], "w-", output).unwrap();
        let found: serde_json::Value = serde_json::from_str(&of(Output::Json)).unwrap();
        let commands = of(Output::Commands);
        assert_eq!(commands.lines().count(), 1 + found.as_array().unwrap().len());
        assert!(
            commands.contains(
                "--add --allow-principal User:w-enrich --operation Write --transactional-id waybill-enrich- \
                 --resource-pattern-type prefixed\n"
            ),
            "{commands}"
        );
        assert!(of(Output::Table).contains(
            "| Write, DescribeConfigs | Topic `waybill.enriched`, `waybill.ledger`, `waybill.rejects` |"
        ));
    }
}
