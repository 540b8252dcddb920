use crate::config::Config;
use crate::exit::Failure;

/// Say what is wrong with the configuration, or print it as it takes effect, secrets hidden
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: waybill --config waybill.toml check-config")]
pub struct Args {}

/// What is wrong was found when the configuration was read; secrets' files are tried here, and tables of codes, and dialects.
pub fn run(config: &Config, _: &Args) -> Result<(), Failure> {
    config.connection()?;
    config.clickhouse()?;
    config.keyring_and_token()?;
    config.validate.stage()?;
    config.validate.connect()?;
    // Only the processes that tell endpoints need have it.
    if config.webhooks.master_key_file.as_ref().is_some_and(|file| file.exists()) {
        config.webhooks.secret()?;
    }
    print!("{config}");
    Ok(())
}
