//! Room beyond spandsp's buffers.
//!
//! spandsp (0.2.4 of its crate, `t4_t6_decode.c`) counts the pixels of a row and not its runs: runs without pixels, which cost a sender ten
//! bits, make the list of runs longer than its buffer, and codes of the two-dimensional form read beyond it. Both come from the far end
//! of a fax and from documents. So the buffers that spandsp asks for by its `span_realloc` lie far apart here: each has [`SLOT`] bytes of
//! addresses, of which only what is touched takes memory, and none is reached from another one by as much data as a fax or a document may
//! have ([`FAX_BYTES_MAX`]): a run takes four bytes for every ten bits.
#![expect(
    unsafe_code,
    reason = "spandsp takes its allocator as C functions, and addresses without memory are the system's"
)]

use std::ffi::{c_int, c_void};
use std::ptr::{NonNull, null_mut};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

/// Addresses of one buffer.
const SLOT: usize = 256 << 20;
/// Buffers at once: some eight a fax.
const SLOTS: usize = 1_024;
/// Of what may come in one fax, or be in one document: more than two hours at the fastest rate. A list of runs takes four times as much.
pub(crate) const FAX_BYTES_MAX: usize = 32 << 20;
const _: () = assert!(FAX_BYTES_MAX * 4 < SLOT, "no list of runs reaches the next buffer");

/// Addresses, and which of them are free.
struct Arena {
    base: usize,
    free: Mutex<Vec<usize>>,
}

static ARENA: OnceLock<Option<Arena>> = OnceLock::new();

type Alloc = unsafe extern "C" fn(usize) -> *mut c_void;
type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);
type AlignedAlloc = unsafe extern "C" fn(usize, usize) -> *mut c_void;

unsafe extern "C" {
    fn span_mem_allocators(
        alloc: Option<Alloc>,
        realloc: Option<Realloc>,
        free: Option<Free>,
        aligned_alloc: Option<AlignedAlloc>,
        aligned_free: Option<Free>,
    ) -> c_int;
}

/// Gives spandsp these buffers. To be called before it is given anything of strangers; what it has already stays as it is.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the functions keep to what C asks of them, and live as long as the program.
        unsafe { span_mem_allocators(None, Some(realloc), Some(free), None, None) };
    });
}

impl Arena {
    /// None where the system gives no addresses: then there are no faxes.
    fn of_the_system() -> Option<&'static Self> {
        let arena = ARENA.get_or_init(|| {
            let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            // SAFETY: new addresses are asked for, nothing that is there is touched.
            let base = unsafe { libc::mmap(null_mut(), SLOT * SLOTS, access, kind | libc::MAP_NORESERVE, -1, 0) };
            (base != libc::MAP_FAILED)
                .then(|| Self { base: base.expose_provenance(), free: Mutex::new((0..SLOTS).rev().collect()) })
        });
        arena.as_ref()
    }

    /// Which of the buffers this is.
    fn slot(&self, pointer: NonNull<c_void>) -> Option<usize> {
        let offset = pointer.addr().get().checked_sub(self.base)?;
        (offset < SLOT * SLOTS).then_some(offset / SLOT)
    }

    fn free(&self) -> MutexGuard<'_, Vec<usize>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> *mut c_void {
        let slot = self.free().pop();
        slot.map_or(null_mut(), |slot| std::ptr::with_exposed_provenance_mut(self.base + slot * SLOT))
    }

    fn give_back(&self, slot: usize) {
        let place = std::ptr::with_exposed_provenance_mut(self.base + slot * SLOT);
        // SAFETY: the addresses are this slot's, which nobody uses any more; they are zeros when they are touched again.
        unsafe { libc::madvise(place, SLOT, libc::MADV_DONTNEED) };
        self.free().push(slot);
    }
}

/// `realloc` of C.
unsafe extern "C" fn realloc(pointer: *mut c_void, size: usize) -> *mut c_void {
    let Some(arena) = Arena::of_the_system() else { return null_mut() };
    match NonNull::new(pointer) {
        None if size <= SLOT => arena.take(),
        None => null_mut(),
        Some(own) if arena.slot(own).is_some() => {
            if size <= SLOT {
                pointer
            } else {
                null_mut()
            }
        }
        // SAFETY: what is none of ours is of C's `malloc`, which spandsp was left.
        Some(_) => unsafe { libc::realloc(pointer, size) },
    }
}

/// `free` of C.
unsafe extern "C" fn free(pointer: *mut c_void) {
    let Some(own) = NonNull::new(pointer) else { return };
    let arena = ARENA.get().and_then(Option::as_ref);
    match arena.and_then(|arena| Some((arena, arena.slot(own)?))) {
        Some((arena, slot)) => arena.give_back(slot),
        // SAFETY: as above.
        None => unsafe { libc::free(pointer) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_lie_apart_grow_where_they_are_and_are_zeros_when_they_are_used_again() {
        // SAFETY: as C uses them.
        unsafe {
            let (one, other) = (realloc(null_mut(), 100), realloc(null_mut(), 100));
            assert!(!one.is_null() && one.addr().abs_diff(other.addr()) >= SLOT);
            one.cast::<u8>().add(SLOT / 2).write(7);
            assert_eq!(realloc(one, SLOT), one);
            assert!(realloc(one, SLOT + 1).is_null() && realloc(null_mut(), SLOT + 1).is_null());
            free(one);
            let again = realloc(null_mut(), 100);
            assert_eq!((again, again.cast::<u8>().add(SLOT / 2).read()), (one, 0));
            free(again);
            free(other);
            free(null_mut());
            let foreign = libc::malloc(10);
            free(realloc(foreign, 20));
        }
    }
}
