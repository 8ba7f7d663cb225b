//! Loading ONNX Runtime itself. A process loads it once, so this is a program of its own, with
//! one test, in order.

use karaul::vision::Runtime;
use karaul_tests::onnx_runtime;

#[test]
fn a_library_that_cannot_be_loaded_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let problem = |name: &str| {
        let error = Runtime::init(Some(&folder.path().join(name))).expect_err("not a library");
        error.to_string().replace(&folder.path().display().to_string(), "DIR")
    };
    const REMEDY: &str = "; install its shared library (`make setup` does), or name it in `library` under [inference] or \
                          in ORT_DYLIB_PATH";
    assert_eq!(
        problem("libonnxruntime.so"),
        format!("ONNX Runtime cannot be loaded from DIR/libonnxruntime.so: there is no such file{REMEDY}")
    );
    std::fs::write(folder.path().join("text.so"), "not a library").unwrap();
    let text = problem("text.so");
    assert!(text.starts_with("ONNX Runtime cannot be loaded from DIR/text.so: ") && text.ends_with(REMEDY), "{text}");
    // A failure does not stand in the way of the right one, and a second one is refused.
    if onnx_runtime() {
        assert!(Runtime::init(None).is_ok());
        assert!(
            problem("other.so").contains("DIR/other.so cannot be used: restart the agent"),
            "{}",
            problem("other.so")
        );
    }
}
