use std::sync::Arc;

use arc_swap::ArcSwap;
use waybill_schemas::Opened;
use waybill_stage::{Context, Failure, Outputs, SealedRecord, Stage};

use crate::{Carriers, Opener, PlatformKeys};

/// The stage, for the host. The host swaps registry and keys when their files change.
#[derive(Clone, Debug)]
pub struct Decrypt {
    opener: Arc<Opener>,
    carriers: Arc<ArcSwap<Carriers>>,
    platform_keys: Arc<ArcSwap<PlatformKeys>>,
}

impl Decrypt {
    /// Stages that share one `opener` share its cache and its counters.
    pub fn new(
        opener: Arc<Opener>,
        carriers: Arc<ArcSwap<Carriers>>,
        platform_keys: Arc<ArcSwap<PlatformKeys>>,
    ) -> Self {
        Self { opener, carriers, platform_keys }
    }
}

impl Stage for Decrypt {
    type Input = SealedRecord;
    type Output = Opened;
    const NAME: &'static str = "decrypt";

    fn apply(
        &self,
        cx: &Context,
        record: SealedRecord,
        outputs: &mut Outputs<Opened>,
    ) -> Result<(), Failure> {
        let (carriers, keys) = (self.carriers.load(), self.platform_keys.load());
        let (opened, kid) = self.opener.open(cx, &record, &carriers, &keys)?;
        outputs.emit(opened);
        outputs.platform_key = kid;
        Ok(())
    }

    fn costly(&self, records: &[SealedRecord]) -> Vec<usize> {
        self.opener.costly(records)
    }
}
