use crate::Reject;

/// What becomes of one record in a stage. The host reuses it from record to record.
#[derive(Debug)]
pub struct Outputs<T> {
    pub emitted: Vec<T>,
    pub rejects: Vec<PartReject>,
    /// Copies of events that were accepted before: they change nothing.
    pub duplicates: u32,
    /// The platform key that the record was sealed for, of one that passed decrypt; empty elsewhere.
    pub platform_key: String,
}

/// A part of a message that was rejected alone.
#[derive(Debug)]
pub struct PartReject {
    /// Position in the message: 1, 2, ….
    pub position: u32,
    pub reject: Reject,
}

impl<T> Default for Outputs<T> {
    fn default() -> Self {
        Self {
            emitted: Vec::new(),
            rejects: Vec::new(),
            duplicates: 0,
            platform_key: String::new(),
        }
    }
}

impl<T> Outputs<T> {
    pub fn emit(&mut self, output: T) {
        self.emitted.push(output);
    }

    /// Rejects the part at `position` and lets the others go on.
    pub fn reject(&mut self, position: u32, reject: Reject) {
        self.rejects.push(PartReject { position, reject });
    }

    pub fn duplicate(&mut self) {
        self.duplicates += 1;
    }

    pub fn clear(&mut self) {
        self.emitted.clear();
        self.rejects.clear();
        self.duplicates = 0;
        self.platform_key.clear();
    }
}
