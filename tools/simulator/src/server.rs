use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_app::AppSrc;
use gstreamer_rtsp_server::{
    RTSPAuth, RTSPFilterResult, RTSPMediaFactory, RTSPMountPoints, RTSPServer, RTSPToken, gst_rtsp, prelude::*,
};

use crate::{
    Content, Mount, SimulatorError, encoder,
    feeder::{self, Feed},
    packets, source,
};

/// The role of those who have logged in.
const VIEWER: &str = "viewer";

/// How often sessions of viewers that have vanished are looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// What to serve, where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address to listen on.
    pub address: String,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// User and password that viewers must give, and how.
    pub login: Option<(String, String)>,
    /// How viewers prove that they know the password.
    pub authentication: Authentication,
    /// Serve over TLS, with this certificate and its key in one PEM text; needs a login.
    pub certificate: Option<String>,
    /// The cameras.
    pub mounts: Vec<Mount>,
}

/// How viewers prove that they know the password (RFC 2617).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Authentication {
    /// The password itself, in base 64: old cameras.
    Basic,
    /// A hash of it: most cameras.
    #[default]
    Digest,
}

impl Default for Settings {
    /// Nothing yet, on any free port of this machine only.
    fn default() -> Self {
        Self {
            address: "127.0.0.1".to_owned(),
            port: 0,
            login: None,
            authentication: Authentication::default(),
            certificate: None,
            mounts: Vec::new(),
        }
    }
}

/// A running RTSP server. Dropping it closes all connections.
pub struct Simulator {
    server: RTSPServer,
    context: glib::MainContext,
    main_loop: glib::MainLoop,
    listener: glib::SourceId,
    thread: Option<JoinHandle<()>>,
    address: String,
    port: u16,
    paths: Vec<String>,
}

impl Simulator {
    /// Starts to serve. Each camera begins with its first picture when its first viewer comes.
    ///
    /// # Errors
    ///
    /// A plugin is missing, a file cannot be used, or the port is taken.
    pub fn start(settings: &Settings) -> Result<Self, SimulatorError> {
        gst::init().map_err(SimulatorError::media)?;
        encoder::check()?;
        let mounts = RTSPMountPoints::new();
        for mount in &settings.mounts {
            mounts.add_factory(&mount.path, factory(mount)?);
        }
        let server = RTSPServer::new();
        server.set_address(&settings.address);
        server.set_service(&settings.port.to_string());
        server.set_mount_points(Some(&mounts));
        if let Some((user, password)) = &settings.login {
            let auth = auth(user, password, settings.authentication);
            if let Some(pem) = &settings.certificate {
                let certificate = gio::TlsCertificate::from_pem(pem).map_err(SimulatorError::media)?;
                auth.set_tls_certificate(Some(&certificate));
            }
            server.set_auth(Some(&auth));
        }
        let context = glib::MainContext::new();
        let taken = || SimulatorError::Listen { address: settings.address.clone(), port: settings.port };
        let listener = server.attach(Some(&context)).map_err(|_| taken())?;
        let port = u16::try_from(server.bound_port()).map_err(|_| taken())?;
        sweep(&server, &context);
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let thread = thread::Builder::new()
            .name("rtsp-server".to_owned())
            .spawn({
                let (context, main_loop) = (context.clone(), main_loop.clone());
                move || {
                    // Fails only if another thread owned this new context.
                    let _ = context.with_thread_default(|| main_loop.run());
                }
            })
            .map_err(SimulatorError::media)?;
        Ok(Self {
            server,
            context,
            main_loop,
            listener,
            thread: Some(thread),
            address: settings.address.clone(),
            port,
            paths: settings.mounts.iter().map(|mount| mount.path.clone()).collect(),
        })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the cameras are, in the order of the settings; without user and password.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        let host = if self.address.contains(':') { format!("[{}]", self.address) } else { self.address.clone() };
        self.paths.iter().map(move |path| format!("rtsp://{host}:{}{path}", self.port))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(listener) = self.context.find_source_by_id(&self.listener) {
            listener.destroy();
        }
        self.server.client_filter(Some(&mut |_, _| RTSPFilterResult::Remove));
        self.main_loop.quit();
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

/// Lets go of viewers that vanished without a goodbye.
fn sweep(server: &RTSPServer, context: &glib::MainContext) {
    let Some(pool) = server.session_pool() else { return };
    let source = glib::timeout_source_new(SWEEP, Some("sweep"), glib::Priority::DEFAULT, move || {
        pool.cleanup();
        glib::ControlFlow::Continue
    });
    source.attach(Some(context));
}

/// Makes the media of one camera; opens its source once, so that what is wrong with it shows now.
fn factory(mount: &Mount) -> Result<RTSPMediaFactory, SimulatorError> {
    let factory = RTSPMediaFactory::new();
    factory.set_shared(true);
    let role = gst::Structure::builder(VIEWER)
        .field("media.factory.access", true)
        .field("media.factory.construct", true)
        .build();
    factory.add_role_from_structure(&role);
    let (caps, copied) = if let (true, Content::File(path)) = (mount.copy, &mount.content) {
        let packets = packets::read(path, mount.codec)?;
        factory.set_launch(&encoder::launch(mount, (0, 0), (1, 1)));
        (packets.caps.clone(), Some(Arc::new(packets)))
    } else {
        let source = source::open(mount)?;
        let (size, rate) = (source.size(), source.rate());
        factory.set_launch(&encoder::launch(mount, size, rate));
        (raw_caps(size, rate), None)
    };
    let mount = mount.clone();
    factory.connect_media_configure(move |_, media| {
        let source = media.element().downcast::<gst::Bin>().ok().and_then(|bin| bin.by_name("source"));
        let Some(source) = source.and_downcast::<AppSrc>() else { return };
        source.set_caps(Some(&caps));
        let end = Arc::new(AtomicBool::new(false));
        media.connect_unprepared({
            let end = Arc::clone(&end);
            move |_| end.store(true, Ordering::Relaxed)
        });
        let feed = match &copied {
            Some(packets) => Feed::Packets { packets: Arc::clone(packets), once: mount.once },
            None => Feed::Pictures(mount.clone()),
        };
        feeder::start(feed, source, end);
    });
    Ok(factory)
}

/// Limited range, and the matrix that everybody assumes for that height.
pub(crate) fn raw_caps((width, height): (usize, usize), (pictures, seconds): (u32, u32)) -> gst::Caps {
    let whole = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", width as i32)
        .field("height", height as i32)
        .field("framerate", gst::Fraction::new(whole(pictures), whole(seconds)))
        .field("colorimetry", if height < 720 { "bt601" } else { "bt709" })
        .build()
}

fn auth(user: &str, password: &str, authentication: Authentication) -> RTSPAuth {
    let auth = RTSPAuth::new();
    let token = RTSPToken::builder().field("media.factory.role", VIEWER).build();
    match authentication {
        Authentication::Basic => {
            auth.set_supported_methods(gst_rtsp::RTSPAuthMethod::Basic);
            auth.add_basic(&RTSPAuth::make_basic(user, password), &token);
        }
        Authentication::Digest => {
            auth.set_supported_methods(gst_rtsp::RTSPAuthMethod::Digest);
            auth.add_digest(user, password, &token);
        }
    }
    auth
}
