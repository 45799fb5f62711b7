//! The allocator of components. It begins where the component's own data end, so that a run that waits keeps as few pages of its
//! own as may be: the standard one leaves what is before the next 64 KiB unused.

#![expect(unsafe_code, reason = "an allocator is given its memory by address")]

use core::alloc::Layout;
use core::arch::wasm32;
use core::ptr::NonNull;
use talc::base::{Talc, binning::Binning};
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

#[global_allocator]
static ALLOCATOR: TalcSyncCell<Memory, WasmBinning> = TalcSyncCell::new_wasm(Memory { end: None });

/// A page of WebAssembly's memory.
const PAGE: usize = 65_536;

/// Room in the component's memory, at first what it has beyond its data, then whole pages more.
#[derive(Debug)]
struct Memory {
    end: Option<NonNull<u8>>,
}

// SAFETY: it allocates nothing, and gives what nobody else has: the memory behind the linker's `__heap_base`, and pages that have
// just come.
unsafe impl Source for Memory {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        unsafe extern "C" {
            static __heap_base: u8;
        }
        let Some(end) = talc.source.end else {
            // SAFETY: the linker sets it behind the last of the data.
            let base = unsafe { &raw const __heap_base }.cast_mut();
            let size = wasm32::memory_size(0) * PAGE - base.addr();
            // SAFETY: nobody else has it, and it is claimed once.
            talc.source.end = unsafe { talc.claim(base, size) };
            return if talc.source.end.is_some() { Ok(()) } else { grow(talc, None, layout) };
        };
        grow(talc, Some(end), layout)
    }
}

fn grow<B: Binning>(talc: &mut Talc<Memory, B>, end: Option<NonNull<u8>>, layout: Layout) -> Result<(), ()> {
    /// What the allocator wants beside what is allocated, at most.
    const BESIDE: usize = 4_096;
    let wanted = layout.size().checked_add(layout.align()).and_then(|size| size.checked_add(BESIDE)).ok_or(())?;
    let pages = wanted.div_ceil(PAGE);
    let before = wasm32::memory_grow(0, pages);
    if before == usize::MAX {
        return Err(());
    }
    let base = core::ptr::without_provenance_mut::<u8>(before * PAGE);
    let all = core::ptr::without_provenance_mut::<u8>((before + pages) * PAGE);
    talc.source.end = match end {
        // SAFETY: the pages have just come, and follow what it has: nobody else grows the memory.
        Some(end) => Some(unsafe { talc.extend(end, all) }),
        // SAFETY: the pages have just come.
        None => unsafe { talc.claim(base, pages * PAGE) },
    };
    if talc.source.end.is_some() { Ok(()) } else { Err(()) }
}
