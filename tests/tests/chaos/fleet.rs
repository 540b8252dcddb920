//! The processes: who runs, who is frozen, who is to be started again.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use waybill_tests::{Deployment, OwnServers, Process, Truth, wait_until};

pub const STAGES: [&str; 5] = ["decrypt", "validate", "enrich", "aggregate", "clickhouse"];

/// Where a process can be made to die, and in how many of a hundred times that it passes there:
/// each some ten seconds into its life. (Aggregate lives longer: it begins with reading its state.)
const TRANSACTION_POINTS: [(&str, &str); 4] = [
    ("transaction_begun", "0.7"),
    ("transaction_sent", "0.7"),
    ("transaction_delivered", "0.7"),
    ("transaction_committed", "0.7"),
];
const SINK_POINTS: [(&str, &str); 3] =
    [("sink_before_commit", "6"), ("sink_after_commit", "6"), ("sink_after_insert", "6")];

pub struct Fleet {
    pub d: Deployment,
    pub instances: Vec<Instance>,
    /// How often a process died at each point.
    pub died_at: BTreeMap<&'static str, u64>,
    pub died_at_points: u64,
    pub random: fastrand::Rng,
    /// Processes die at points.
    pub is_mortal: bool,
    // Last: it goes after those that use it.
    pub servers: OwnServers,
}

/// A member of a stage's group, under a name that stays.
pub struct Instance {
    pub stage: &'static str,
    pub name: String,
    pub process: Process,
    /// Frozen until then.
    pub wakes_at: Option<Instant>,
    /// Dead until then.
    pub starts_at: Option<Instant>,
    point: Option<&'static str>,
}

impl Fleet {
    pub fn start(random: fastrand::Rng) -> Self {
        let servers = OwnServers::start();
        let d = Deployment::on(servers.addresses(), "chaos", 4, "");
        let mut fleet = Self {
            d,
            instances: Vec::new(),
            died_at: BTreeMap::new(),
            died_at_points: 0,
            random,
            is_mortal: true,
            servers,
        };
        for stage in STAGES {
            fleet.add(stage, "a");
        }
        for instance in &fleet.instances {
            wait_until(instance.stage, Duration::from_secs(90), || {
                instance.process.get("/readyz").is_some()
            });
        }
        fleet
    }

    pub fn publish(&self, seed: u64, messages: u64, time: Duration) -> JoinHandle<Truth> {
        let (config, folder) = (self.d.config(), self.d.folder.clone());
        let rate = messages / time.as_secs().max(1);
        std::thread::spawn(move || {
            let out = Command::new(Deployment::binary())
                .arg("--config")
                .arg(config)
                .args(["simulate", "--register", "--containers", "4000"])
                .args(["--rate", &rate.to_string(), "--messages", &messages.to_string()])
                .args(["--seconds", &(time.as_secs() * 4).to_string()])
                .args(["--seed", &seed.to_string(), "--signing-keys"])
                .arg(folder.join("carriers"))
                .arg("--truth")
                .arg(folder.join("truth.json"))
                .output()
                .unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            Truth::read(&folder.join("truth.json"))
        })
    }

    pub fn add(&mut self, stage: &'static str, name: &str) {
        let (process, point) = self.spawn(stage, name);
        self.instances.push(Instance {
            stage,
            name: name.to_owned(),
            process,
            wakes_at: None,
            starts_at: None,
            point,
        });
    }

    fn spawn(&mut self, stage: &'static str, name: &str) -> (Process, Option<&'static str>) {
        let points: &[_] = if stage == "clickhouse" { &SINK_POINTS } else { &TRANSACTION_POINTS };
        let (point, percent) = points[self.random.usize(..points.len())];
        let percent = if stage == "aggregate" { "0.2" } else { percent };
        if self.is_mortal {
            let points = format!("{point}={percent}%return");
            (self.d.spawn(stage, name, &[("FAILPOINTS", &points)]), Some(point))
        } else {
            (self.d.spawn(stage, name, &[]), None)
        }
    }

    /// Wakes whose time it is, and starts again who is dead.
    pub fn tend(&mut self) {
        let now = Instant::now();
        for n in 0..self.instances.len() {
            let instance = &mut self.instances[n];
            if instance.wakes_at.is_some_and(|at| at <= now) {
                instance.wakes_at = None;
                instance.process.signal("CONT");
            }
            if instance.process.has_ended() && instance.starts_at.is_none() {
                // Not by us: at its point, then. Anything else is a bug.
                let point = instance.point.unwrap_or_else(|| {
                    panic!("{} ended:\n{}", instance.stage, instance.process.log())
                });
                *self.died_at.entry(point).or_default() += 1;
                self.died_at_points += 1;
                instance.starts_at = Some(now);
            }
            if instance.starts_at.is_some_and(|at| at <= now) {
                let (stage, name) = (instance.stage, instance.name.clone());
                let (process, point) = self.spawn(stage, &name);
                let instance = &mut self.instances[n];
                (instance.process, instance.point, instance.starts_at) = (process, point, None);
            }
        }
    }
}
