use std::collections::HashMap;

use crate::Coordinates;

/// A terminal of SMDG's Terminal Code List.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terminal {
    /// Of its port.
    pub unlocode: &'static str,
    pub name: &'static str,
    pub coordinates: Option<Coordinates>,
}

/// SMDG's terminals. A code is unique within a port, and many are worldwide.
#[derive(Clone, Debug)]
pub struct Terminals(HashMap<&'static str, Vec<Terminal>>);

impl Terminals {
    /// Reads `terminals.tsv`: UN/LOCODE, code, latitude, longitude, name.
    pub fn read(table: &'static str) -> Self {
        let mut terminals: HashMap<_, Vec<_>> = HashMap::new();
        for line in table.lines() {
            let mut fields = line.split('\t');
            let (Some(unlocode), Some(code), Some(latitude), Some(longitude), Some(name)) =
                (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let coordinates = match (latitude.parse(), longitude.parse()) {
                (Ok(latitude), Ok(longitude)) => Coordinates::new(latitude, longitude),
                _ => None,
            };
            terminals.entry(code).or_default().push(Terminal { unlocode, name, coordinates });
        }
        Self(terminals)
    }

    /// The terminal of that code in the port; without a port only where no other port has one of
    /// the same code.
    pub fn lookup(&self, code: &str, unlocode: Option<&str>) -> Option<&Terminal> {
        let of_code = self.0.get(code)?;
        match (unlocode, of_code.as_slice()) {
            (Some(port), _) => of_code.iter().find(|terminal| terminal.unlocode == port),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}
