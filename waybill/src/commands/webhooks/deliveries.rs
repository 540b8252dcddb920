use jiff::Timestamp;
use waybill_kafka::{Kept, WebhookLog, check_topics};
use waybill_schemas::Delivery;
use waybill_schemas::Role;
use waybill_schemas::vocabulary::DeliveryState;
use waybill_stage::Fault;

use crate::acls::Client;
use crate::config::Config;
use crate::exit::Failure;

/// Look at what carriers' endpoints are told, and have it told again
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  waybill webhooks list --carrier acme-line --dead
  waybill webhooks replay --carrier acme-line
  waybill webhooks replay --carrier acme-line --since 24h
  waybill webhooks replay --carrier acme-line --id msg_2KWPBgLlAfxdpx2AI54pPA

Deliveries are kept as long as the topic keeps them (topics.retention.webhooks). A replay has the id that the
delivery has: a receiver that has it drops it.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The oldest first
    List {
        /// Only this carrier's
        #[arg(long, value_name = "ID")]
        carrier: Option<String>,
        /// Only those that were given up
        #[arg(long)]
        dead: bool,
        /// At most so many
        #[arg(long, default_value_t = 1_000)]
        limit: usize,
    },
    /// Have dead deliveries tried again, or all since a time
    Replay {
        #[arg(long, value_name = "ID")]
        carrier: String,
        /// Only to this endpoint
        #[arg(long, value_name = "ID")]
        endpoint: Option<String>,
        /// Those, too, that were settled, of what came up since then: a time (RFC 3339) or how long ago (24h)
        #[arg(long, value_name = "TIME", value_parser = crate::since::parse)]
        since: Option<i64>,
        /// This one, dead or settled. May come several times
        #[arg(long, value_name = "ID", conflicts_with = "since")]
        id: Vec<String>,
        /// Say what would be tried again, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// At most so many at once
        #[arg(long, default_value_t = 10_000)]
        limit: usize,
    },
}

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    let unreachable = |f: Fault| Failure::unreachable(f.to_string());
    Client::Replay.check(config)?;
    let settings = config.host("webhooks", &config.batch)?;
    let cipher = config.cipher(&[Role::Webhooks])?;
    let log = WebhookLog { settings: &settings, cipher: &cipher };
    match &args.command {
        Command::List { carrier, dead, limit } => {
            let is_meant =
                |d: &Delivery| carrier.as_ref().is_none_or(|carrier| d.carrier_id == *carrier);
            let mut found = log.kept(is_meant).map_err(unreachable)?;
            say_if_not_all(&found);
            found.retain(|kept| !dead || kept.last.state == DeliveryState::Dead);
            found.truncate(*limit);
            print(&found);
            Ok(())
        }
        Command::Replay { carrier, endpoint, since, id, dry_run, limit } => {
            let is_meant = |d: &Delivery| {
                d.carrier_id == *carrier
                    && endpoint.as_ref().is_none_or(|endpoint| d.endpoint_id == *endpoint)
                    && since.is_none_or(|since| d.made_at >= since)
                    && (id.is_empty() || id.contains(&d.delivery_id))
            };
            check_topics(&settings.connection, &settings.topics, &[Role::Webhooks])
                .map_err(unreachable)?;
            let found = log.kept(is_meant).map_err(unreachable)?;
            say_if_not_all(&found);
            let is_named = since.is_some() || !id.is_empty();
            let now_ms = Timestamp::now().as_millisecond();
            let Chosen { deliveries, open, gone } = choose(found, is_named, *limit, now_ms);
            if *dry_run {
                println!("would try {} again; {open} are open anyway", deliveries.len());
            } else {
                // With none, too: what Kafka does not allow is told now, and not when it is needed.
                log.open(&deliveries).map_err(unreachable)?;
                println!("{} are tried again; {open} are open anyway", deliveries.len());
            }
            if gone > 0 {
                println!("{gone} are not: what they told is kept no longer");
            }
            Ok(())
        }
    }
}

fn say_if_not_all(found: &[Kept]) {
    if found.len() >= WebhookLog::MOST {
        eprintln!(
            "webhooks: there are more than {}: name a carrier, an endpoint or a time",
            WebhookLog::MOST
        );
    }
}

/// What is to be tried again.
#[derive(Debug, PartialEq, Eq)]
struct Chosen {
    deliveries: Vec<Delivery>,
    open: usize,
    gone: usize,
}

/// Dead ones; where they are named, settled ones too.
fn choose(found: Vec<Kept>, is_named: bool, limit: usize, now_ms: i64) -> Chosen {
    let mut chosen = Chosen { deliveries: Vec::new(), open: 0, gone: 0 };
    for Kept { last, payload } in found {
        match last.state {
            DeliveryState::Open => chosen.open += 1,
            DeliveryState::Settled if !is_named => {}
            _ if payload.is_empty() => chosen.gone += 1,
            _ if chosen.deliveries.len() >= limit => {}
            _ => chosen.deliveries.push(Delivery {
                state: DeliveryState::Open,
                why: String::new(),
                attempts: 0,
                open_since: now_ms,
                ended_at: None,
                payload,
                ..last
            }),
        }
    }
    chosen
}

fn print(found: &[Kept]) {
    if found.is_empty() {
        println!("no deliveries");
        return;
    }
    println!(
        "{:<26}  {:<16}  {:<15}  {:<20}  {:<7}  {:<12}  tried",
        "id", "carrier", "endpoint", "came up", "state", "why"
    );
    for Kept { last, .. } in found {
        let made = Timestamp::from_millisecond(last.made_at).unwrap_or_default();
        println!(
            "{:<26}  {:<16}  {:<15}  {:<20}  {:<7}  {:<12}  {}",
            last.delivery_id,
            last.carrier_id,
            last.endpoint_id,
            format!("{made:.0}"),
            last.state.as_str(),
            last.why,
            last.attempts
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_ones_are_replayed_and_settled_ones_where_they_are_named() {
        let kept = |id: &str, state, payload: &[u8]| Kept {
            last: Delivery {
                delivery_id: id.into(),
                carrier_id: "a".into(),
                endpoint_id: "e".into(),
                state,
                why: "timeout".into(),
                attempts: 9,
                made_at: 1,
                open_since: 2,
                ended_at: Some(3),
                payload: Vec::new(),
                shipment_id: String::new(),
            },
            payload: payload.to_vec(),
        };
        let found = || {
            vec![
                kept("open", DeliveryState::Open, b"x"),
                kept("settled", DeliveryState::Settled, b"x"),
                kept("dead", DeliveryState::Dead, b"x"),
                kept("forgotten", DeliveryState::Dead, b""),
            ]
        };
        for (is_named, limit, ids) in
            [(false, 9, &["dead"][..]), (true, 9, &["settled", "dead"]), (true, 1, &["settled"])]
        {
            let chosen = choose(found(), is_named, limit, 50);
            let got: Vec<_> = chosen.deliveries.iter().map(|d| d.delivery_id.as_str()).collect();
            assert_eq!((got.as_slice(), chosen.open, chosen.gone), (ids, 1, 1));
            for d in &chosen.deliveries {
                assert_eq!((d.state, d.attempts, d.open_since), (DeliveryState::Open, 0, 50));
                assert_eq!((d.made_at, d.payload.as_slice()), (1, &b"x"[..]));
            }
        }
    }
}
