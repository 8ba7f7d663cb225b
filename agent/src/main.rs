//! The `karaul` program; everything is in the library.

fn main() -> std::process::ExitCode {
    karaul::cli::main()
}
