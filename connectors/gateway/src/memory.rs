//! Bytes of requests in hand, bounded for the whole process: what finds no room is refused at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::metrics;
use crate::problem::{Code, Problem};

/// A permit stands for so many bytes.
const UNIT: usize = 1024;

#[derive(Debug)]
pub struct Memory {
    free: Arc<Semaphore>,
}

/// What one request has of it.
#[derive(Debug, Default)]
pub struct Held {
    permit: Option<OwnedSemaphorePermit>,
    /// Of the last unit that was taken, how much is not used.
    spare: usize,
}

impl Memory {
    pub fn new(bytes: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(bytes / UNIT)) }
    }

    /// Takes room for `bytes` more.
    pub fn take(&self, held: &mut Held, bytes: usize) -> Result<(), Problem> {
        let Some(more) = bytes.checked_sub(held.spare).filter(|more| *more > 0) else {
            held.spare -= bytes;
            return Ok(());
        };
        let units = more.div_ceil(UNIT);
        let permit = u32::try_from(units)
            .ok()
            .and_then(|units| self.free.clone().try_acquire_many_owned(units).ok());
        let Some(permit) = permit else {
            metrics().limited.with_label_values(&["memory"]).inc();
            let detail = "the gateway has as many bytes in hand as it may; come again";
            return Err(
                Problem::new(Code::Overloaded, detail).after(std::time::Duration::from_secs(1))
            );
        };
        held.spare = units * UNIT - more;
        match &mut held.permit {
            Some(all) => all.merge(permit),
            None => held.permit = Some(permit),
        }
        Ok(())
    }

    #[cfg(test)]
    fn free_bytes(&self) -> usize {
        self.free.available_permits() * UNIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_held_than_there_is() {
        let memory = Memory::new(10 * UNIT);
        let (mut a, mut b) = (Held::default(), Held::default());
        for _ in 0..4 {
            memory.take(&mut a, 300).unwrap();
        }
        assert_eq!(memory.free_bytes(), 8 * UNIT, "1,200 bytes take two units");
        memory.take(&mut b, 8 * UNIT).unwrap();
        memory.take(&mut a, 848).unwrap();
        let refused = memory.take(&mut a, 1).unwrap_err();
        assert_eq!((refused.code, refused.retry_after.is_some()), (Code::Overloaded, true));
        drop(b);
        memory.take(&mut a, 1).unwrap();
        drop(a);
        assert_eq!(memory.free_bytes(), 10 * UNIT);
        assert!(memory.take(&mut Held::default(), usize::MAX).is_err());
    }
}
