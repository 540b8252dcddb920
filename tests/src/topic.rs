use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;

use crate::Deployment;

/// A topic of a deployment, as its operator sees it.
pub struct Topic {
    pub name: String,
    admin: AdminClient<DefaultClientContext>,
    runtime: tokio::runtime::Runtime,
}

impl std::fmt::Debug for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Topic {
    /// # Panics
    /// When Kafka does not answer.
    pub fn of(d: &Deployment, role: &str) -> Self {
        let admin =
            ClientConfig::new().set("bootstrap.servers", &d.servers.kafka).create().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { name: format!("{}{role}", d.prefix), admin, runtime }
    }

    /// Makes it, with these settings and two partitions.
    ///
    /// # Panics
    /// When Kafka refuses.
    pub fn make(&self, settings: &[(&str, &str)]) {
        let mut new = NewTopic::new(&self.name, 2, TopicReplication::Fixed(1));
        for (key, value) in settings {
            new = new.set(key, value);
        }
        let done = self.admin.create_topics([&new], &AdminOptions::new());
        for result in self.runtime.block_on(done).unwrap() {
            result.unwrap();
        }
    }

    /// # Panics
    /// When Kafka refuses.
    pub fn remove(&self) {
        let done = self.admin.delete_topics(&[&self.name], &AdminOptions::new());
        for result in self.runtime.block_on(done).unwrap() {
            result.unwrap();
        }
    }

    /// # Panics
    /// When Kafka refuses.
    pub fn set(&self, settings: &[(&str, &str)]) {
        let mut change = AlterConfig::new(ResourceSpecifier::Topic(&self.name));
        for (key, value) in settings {
            change = change.set(key, value);
        }
        let done = self.admin.alter_configs([&change], &AdminOptions::new());
        for result in self.runtime.block_on(done).unwrap() {
            result.unwrap();
        }
    }

    /// # Panics
    /// When the topic is not there.
    pub fn get(&self, key: &str) -> String {
        let asked = [ResourceSpecifier::Topic(&self.name)];
        let found = self.admin.describe_configs(&asked, &AdminOptions::new());
        let found = self.runtime.block_on(found).unwrap().pop().unwrap().unwrap();
        found.get(key).unwrap().value.clone().unwrap()
    }

    /// # Panics
    /// When Kafka refuses.
    pub fn set_partitions(&self, number: usize) {
        let new = [NewPartitions::new(&self.name, number)];
        let done = self.admin.create_partitions(&new, &AdminOptions::new());
        for result in self.runtime.block_on(done).unwrap() {
            result.unwrap();
        }
    }
}
