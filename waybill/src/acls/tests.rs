use super::*;

fn said(config: &Config, stages: &str) -> Vec<String> {
    let acls = Client::Run(stages.to_owned()).acls(config).unwrap();
    acls.iter().map(Acl::to_string).collect()
}

#[test]
fn a_stage_is_allowed_its_own_topics_alone() {
    let config = Config::default();
    assert_eq!(
        said(&config, "aggregate"),
        [
            "Read, Write, DescribeConfigs on Topic waybill.aggregate_state",
            "Read on Topic waybill.enriched",
            "Write, DescribeConfigs on Topic waybill.events",
            "Write, DescribeConfigs on Topic waybill.ledger",
            "Write, DescribeConfigs on Topic waybill.rejects",
            "Write, DescribeConfigs on Topic waybill.shipments",
            "Read on Group waybill-aggregate",
            "Describe on Group waybill-reader",
            "Write on TransactionalId waybill-aggregate-…",
        ]
    );
    assert_eq!(
        said(&config, "gateway"),
        ["Write, DescribeConfigs on Topic waybill.sealed", "Describe on Group waybill-reader"]
    );
}

/// Of a fused run the group is that of its first stage, and the topics between are not used.
#[test]
fn fused_stages_need_no_topic_between() {
    let config = Config::default();
    let fused = said(&config, "decrypt,validate,enrich");
    assert!(fused.contains(&"Read on Group waybill-decrypt".to_owned()), "{fused:?}");
    assert!(fused.contains(&"Write, DescribeConfigs on Topic waybill.enriched".to_owned()));
    assert!(fused.iter().all(|acl| !acl.contains("opened") && !acl.contains("valid")), "{fused:?}");
}

/// What a pattern finds is not asked for when a process starts: one topic that it may not read costs itself alone.
#[test]
fn several_sealed_topics_are_each_their_own_affair() {
    let mut config = Config::default();
    config.topics.sealed = Some(crate::config::OneOrMore::More(vec![
        "waybill.sealed".to_owned(),
        "^waybill[.]sealed[.]".to_owned(),
    ]));
    let decrypt = Client::Run("decrypt".to_owned());
    let found = said(&config, "decrypt");
    assert!(found.contains(&"Read, DescribeConfigs on Topic waybill.sealed".to_owned()));
    assert!(found.contains(&"Read, DescribeConfigs on Topic waybill.sealed.…".to_owned()));
    let needed = decrypt.needed(&config).unwrap();
    assert!(needed.iter().all(|acl| !acl.name.starts_with("waybill.sealed")), "{needed:?}");
    config.topics.sealed = Some(crate::config::OneOrMore::One("^.*sealed".to_owned()));
    let why = decrypt.acls(&config).unwrap_err().message;
    assert!(why.contains("no ACL can stand for"), "{why}");
}

/// Every run that there can be is in the list.
#[test]
fn all_runs_are_listed() {
    let runs = Work::all();
    for run in &runs {
        Work::parse(run).unwrap();
    }
    let stages = ["decrypt", "validate", "enrich"];
    for (first, last) in [(0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2)] {
        assert!(runs.contains(&stages[first..=last].join(",")));
    }
}
