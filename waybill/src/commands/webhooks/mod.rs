//! `waybill run webhooks`, and what operators do about deliveries.

mod deliveries;

use std::sync::Arc;

use waybill_host::topic_cipher::TopicCipher;
use waybill_kafka::{Health, HostSettings, Shutdown, supervise, webhook_host};
use waybill_stage::Fault;
use waybill_webhooks::{Client, Messenger, Post, client_config, system_resolver};

use crate::config::Config;
use crate::exit::Failure;
use crate::registry_file::RegistryFile;
use crate::watched::watch;

pub use deliveries::{Args, run};

/// What tells, made of the configuration; it outlives the host's restarts.
pub fn post(config: &Config) -> Result<Post, Failure> {
    let settings = &config.webhooks;
    let registry = RegistryFile::new(&config.carriers.file);
    let carriers = watch("carriers", config.carriers.file.clone(), move || registry.load())?;
    let tls = client_config(settings.ca_file.as_deref())
        .map_err(|why| Failure::config(format!("webhooks.ca_file: {why}")))?;
    let client = Client::new(tls, settings.allowed()?, system_resolver(), settings.times());
    Post::new(carriers, settings.secret()?, client, settings.bounds())
        .map_err(|e| Failure::failed(format!("threads: {e}")))
}

/// Until shutdown. `check`: before each start.
pub fn serve(
    post: &Post,
    settings: &HostSettings,
    cipher: &Arc<TopicCipher>,
    health: &Health,
    shutdown: &Shutdown,
    check: &dyn Fn() -> Result<(), Fault>,
) {
    supervise("webhooks", health, shutdown, || {
        check()?;
        let mut messenger = Messenger::new(post);
        webhook_host(settings, &mut messenger, cipher, health, shutdown)
    });
}
