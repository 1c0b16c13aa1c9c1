//! Objects of librdkafka's.

use std::ptr::NonNull;

/// An object of librdkafka's, destroyed when it goes out of scope.
pub(crate) struct Owned<T> {
    it: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    pub(crate) fn new(it: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        NonNull::new(it).map(|it| Self { it, destroy })
    }

    pub(crate) fn get(&self) -> *mut T {
        self.it.as_ptr()
    }

    /// Gives the object away to librdkafka, which destroys it.
    pub(crate) fn release(self) {
        std::mem::forget(self);
    }
}

impl<T> Drop for Owned<T> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: `it` came from the constructor that belongs to `destroy`, and nobody else destroys it.
        unsafe { (self.destroy)(self.it.as_ptr()) }
    }
}

// SAFETY: a list of headers is plain memory, which no thread but the one that has it touches.
#[allow(unsafe_code)]
unsafe impl Send for Owned<rdkafka::bindings::rd_kafka_headers_t> {}
