//! A file that lies in memory: libtiff wants a path, and whoever works on a call must not wait for a disk.
#![expect(unsafe_code, reason = "the standard library makes no such file")]

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};

/// One file; it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Memory(File);

impl Memory {
    /// An empty one.
    ///
    /// # Errors
    /// What the system says: there is no memory, or too many files are open.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: the name is a C string that outlives the call, which keeps no pointer to it.
        let number = unsafe { libc::memfd_create(c"plugboard-fax".as_ptr(), libc::MFD_CLOEXEC) };
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is open, and nobody else has it.
        Ok(Self(unsafe { File::from_raw_fd(number) }))
    }

    /// One with these bytes in it.
    ///
    /// # Errors
    /// As [`Memory::new`].
    pub(crate) fn with(bytes: &[u8]) -> io::Result<Self> {
        let mut file = Self::new()?;
        file.0.write_all(bytes)?;
        Ok(file)
    }

    /// Where it is, for this process and as long as it lives.
    pub(crate) fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }

    /// How much is in it.
    pub(crate) fn len(&self) -> usize {
        self.0.metadata().ok().and_then(|about| usize::try_from(about.len()).ok()).unwrap_or(0)
    }

    /// All that is in it, up to a limit.
    pub(crate) fn bytes(&mut self, limit: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len().min(limit));
        let most = u64::try_from(limit).unwrap_or(u64::MAX);
        let read = self.0.seek(SeekFrom::Start(0)).and_then(|_| (&self.0).take(most).read_to_end(&mut bytes));
        if read.is_ok() { bytes } else { Vec::new() }
    }
}
