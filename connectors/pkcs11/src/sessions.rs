//! Sessions with a token: a few that are kept, since each thread needs its own while it works, and new ones
//! when they are lost.

use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;

use crate::error::TokenError;
use crate::{Settings, Which};

pub(crate) struct Sessions {
    settings: Settings,
    library: Mutex<Option<Pkcs11>>,
    idle: Mutex<Vec<Opened>>,
    pin_is_refused: AtomicBool,
}

/// A session, and what its keys are known by there.
pub(crate) struct Opened {
    pub session: Session,
    pub keys: HashMap<String, ObjectHandle>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sessions({:?})", self.settings)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            library: Mutex::new(None),
            idle: Mutex::new(Vec::new()),
            pin_is_refused: AtomicBool::new(false),
        }
    }

    /// Does `work` in a session that was kept, or in a new one. If a kept one turns out to be lost, so are
    /// the others.
    pub fn with<T>(
        &self,
        mut work: impl FnMut(&mut Opened) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        loop {
            let kept = lock(&self.idle).pop();
            let was_kept = kept.is_some();
            let mut opened = match kept {
                Some(opened) => opened,
                None => Opened { session: self.connect(false)?, keys: HashMap::new() },
            };
            match work(&mut opened) {
                Err(error) if error.is_lost() => {
                    drop(opened);
                    self.forget();
                    if !was_kept {
                        return Err(self.named(error));
                    }
                }
                done => {
                    lock(&self.idle).push(opened);
                    return done.map_err(|e| self.named(e));
                }
            }
        }
    }

    /// Does `work` in a new session that may write.
    pub fn writing<T>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        work(&self.connect(true)?).map_err(|e| self.named(e))
    }

    /// Ends the sessions that are kept: with the last one, the token forgets the login, too.
    pub fn forget(&self) {
        let idle = std::mem::take(&mut *lock(&self.idle));
        drop(idle);
    }

    fn named(&self, error: TokenError) -> TokenError {
        error.context(&self.settings.token)
    }

    fn connect(&self, writes: bool) -> Result<Session, TokenError> {
        self.try_connect(writes).map_err(|e| self.named(e))
    }

    fn try_connect(&self, writes: bool) -> Result<Session, TokenError> {
        if self.pin_is_refused.load(Ordering::Relaxed) {
            return Err(TokenError::new(
                "has refused the PIN, and is not asked again, or it would lock itself: put \
                 keys.pkcs11.pin_file right, and start again",
            ));
        }
        let library = self.library()?;
        let slot = self.slot(&library)?;
        let session =
            if writes { library.open_rw_session(slot) } else { library.open_ro_session(slot) }?;
        match session.login(UserType::User, Some(&self.settings.pin)).map_err(TokenError::from) {
            // The login is the process's, not the session's.
            Err(error) if error.is_logged_in_already() => Ok(session),
            Err(error) => {
                self.pin_is_refused.fetch_or(error.is_pin_refused(), Ordering::Relaxed);
                Err(error)
            }
            Ok(()) => Ok(session),
        }
    }

    fn library(&self) -> Result<Pkcs11, TokenError> {
        let mut library = lock(&self.library);
        if let Some(library) = &*library {
            return Ok(library.clone());
        }
        let module = &self.settings.module;
        let failed =
            |e: TokenError| TokenError::new(format!("is not there: {}: {e}", module.display()));
        let loaded = Pkcs11::new(module).map_err(|e| failed(e.into()))?;
        match initialize(&loaded, self.settings.parameters.as_deref()) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(failed(error.into())),
        }
        *library = Some(loaded.clone());
        Ok(loaded)
    }

    fn slot(&self, library: &Pkcs11) -> Result<Slot, TokenError> {
        let mut seen = Vec::new();
        for slot in library.get_slots_with_token()? {
            let info = library.get_token_info(slot)?;
            let label = info.label().trim();
            let is_it = match &self.settings.token {
                Which::Label(wanted) => wanted == label,
                Which::Slot(wanted) => *wanted == slot.id(),
            };
            if is_it {
                return Ok(slot);
            }
            seen.push(format!("{label:?} in slot {}", slot.id()));
        }
        Err(TokenError::new(format!("is not among those of the module: {}", seen.join(", "))))
    }
}

/// The library may use locks and threads of the system.
fn initialize(library: &Pkcs11, parameters: Option<&str>) -> Result<(), Error> {
    let flags = CInitializeFlags::OS_LOCKING_OK;
    let Some(parameters) = parameters else {
        return library.initialize(CInitializeArgs::new(flags));
    };
    let text = CString::new(parameters).map_err(Error::NulError)?;
    let Some(pointer) = NonNull::new(text.as_ptr().cast::<c_void>().cast_mut()) else {
        return Err(Error::InvalidValue);
    };
    // SAFETY: a module that is given parameters takes a text there, which ends with a zero byte; it reads
    // it before C_Initialize returns, and so before `text` is dropped.
    #[allow(unsafe_code)]
    let args = unsafe { CInitializeArgs::new_with_reserved(flags, pointer) };
    library.initialize(args)
}
