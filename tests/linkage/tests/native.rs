//! What a program in C has of the models in a Rust library: all where it links it as a shared library or whole, and none
//! where it takes from a static one only what it calls. `plugins!` then makes an error of it, and not a silence.
//!
//! Where a static library cannot be linked whole, `Registry::builder().models([…])` is the way out.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = r#"
#include <stdio.h>
int linkage_models(void);
int main(void) { printf("%d", linkage_models()); return 0; }
"#;

/// Builds the library, beside what this test was built into; where it lies.
fn library() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--package", "linkage-native", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target.join("debug")
}

/// What the program counts, linked with these arguments.
fn count(link: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("main.c");
    std::fs::write(&source, PROGRAM).unwrap();
    let program = folder.path().join("main");
    let compiled =
        Command::new("cc").arg(&source).arg("-o").arg(&program).args(link).args(["-lpthread", "-ldl", "-lm"]).output();
    let compiled = compiled.unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    String::from_utf8(Command::new(&program).output().unwrap().stdout).unwrap()
}

#[test]
fn a_shared_library_has_its_models_a_static_one_where_it_is_linked_whole_and_else_plugins_misses_them() {
    let library = library();
    let folder = library.to_str().unwrap();
    let (archive, search, find) =
        (format!("{folder}/liblinkage_native.a"), format!("-L{folder}"), format!("-Wl,-rpath,{folder}"));
    assert_eq!(count(&[&search, &find, "-llinkage_native"]), "1", "shared");
    // A static library of that name lies beside the shared one, which the linker prefers.
    assert_eq!(count(&["-Wl,--whole-archive", &archive, "-Wl,--no-whole-archive", "-lgcc_s"]), "1", "static, whole");
    // The limit: no object with a registration is taken, since nobody calls anything in it.
    assert_eq!(count(&[&archive, "-lgcc_s"]), "-1", "static");
}
