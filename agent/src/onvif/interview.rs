use jiff::{SignedDuration, Timestamp, civil};
use roxmltree::Node;

use super::{
    Answers, Camera, Introduction, Login, Problem, Profile,
    http::Url,
    media::{Stream, profiles, stream_uri},
    probe,
    search::Place,
    shown,
    soap::{self, Request},
    talk::Talk,
};
use crate::clock::Clock;

const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
/// The one that knows H.265.
const MEDIA2: &str = "http://www.onvif.org/ver20/media/wsdl";

/// Asks one camera for all that is wanted of it.
pub(super) fn ask(place: Place, login: Option<&Login>, clock: &dyn Clock) -> Camera {
    let mut talk = Talk::new(login, clock);
    let (service, first) = reach(&mut talk, &place);
    let mut introduction = place.introduction.clone();
    let mut answers = Answers {
        maker: None,
        model: None,
        firmware: None,
        clock_ahead: None,
        access: talk.access(),
        profiles: Err(Problem::NoProfiles),
    };
    match first {
        Err(problem) => answers.profiles = Err(problem),
        Ok(theirs) => {
            answers.clock_ahead = theirs.map(|theirs| theirs.duration_since(clock.now().wall));
            talk.ahead = answers.clock_ahead.unwrap_or(SignedDuration::ZERO);
            let media = media_services(&mut talk, &service, &place);
            answers.introduce(&mut talk, &service);
            if introduction.name.is_none() {
                introduce(&mut talk, &service, &mut introduction);
            }
            answers.profiles = media.and_then(|media| all_profiles(&mut talk, media, &place));
            answers.access = talk.access();
        }
    }
    Camera { host: place.host, introduction, service: service.to_string(), answers }
}

/// Goes through the addresses of a camera's service until one answers, with its time if it tells that.
fn reach(talk: &mut Talk<'_>, place: &Place) -> (Url, Result<Option<Timestamp>, Problem>) {
    let request = Request { service: DEVICE, name: "GetSystemDateAndTime", inside: "" };
    if place.is_unknown() {
        return (place.usual_service(), Err(Problem::NameUnknown { host: place.host.clone() }));
    }
    let mut first = None;
    for url in place.services() {
        match talk.ask_plainly(&url, request, time) {
            Ok(time) => return (url, Ok(time)),
            // It speaks ONVIF, but not about the time, or not with everybody.
            Err(Problem::LoginNeeded | Problem::Fault { .. } | Problem::OtherAnswer { .. }) => return (url, Ok(None)),
            // What the first one says is told: it is the one that the camera recommends.
            Err(problem) => first = first.or(Some((url, Err(problem)))),
        }
    }
    first.unwrap_or_else(|| (place.usual_service(), Err(Problem::NoMedia)))
}

/// `UTCDateTime` of the answer.
fn time(response: Node<'_, '_>) -> Option<Timestamp> {
    let utc = soap::all(response, "UTCDateTime").next()?;
    let (date, time) = (soap::child(utc, "Date")?, soap::child(utc, "Time")?);
    let date = civil::Date::new(soap::number(date, "Year")?, soap::number(date, "Month")?, soap::number(date, "Day")?);
    // A leap second is told as 60.
    let second = soap::number::<i8>(time, "Second")?.min(59);
    let time = civil::Time::new(soap::number(time, "Hour")?, soap::number(time, "Minute")?, second, 0);
    date.ok()?.to_datetime(time.ok()?).to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The media services that a camera has.
#[derive(Debug, Default)]
struct Media {
    first: Option<Url>,
    second: Option<Url>,
}

/// Asks for all services, or in the way of older cameras for the capabilities.
fn media_services(talk: &mut Talk<'_>, device: &Url, place: &Place) -> Result<Media, Problem> {
    let request =
        Request { service: DEVICE, name: "GetServices", inside: "<w:IncludeCapability>false</w:IncludeCapability>" };
    let at = |address: Option<&str>| address.and_then(Url::parse).map(|url| place.own(url));
    let found = talk.ask(device, request, |response| {
        let mut media = Media::default();
        for service in soap::all(response, "Service") {
            match soap::text(service, "Namespace") {
                Some(MEDIA) => media.first = at(soap::text(service, "XAddr")),
                Some(MEDIA2) => media.second = at(soap::text(service, "XAddr")),
                _ => {}
            }
        }
        media
    });
    match found {
        Ok(media) if media.first.is_some() || media.second.is_some() => return Ok(media),
        Ok(_) | Err(Problem::Fault { .. } | Problem::OtherAnswer { .. } | Problem::NotOnvif { .. }) => {}
        Err(problem) => return Err(problem),
    }
    let request = Request { service: DEVICE, name: "GetCapabilities", inside: "<w:Category>All</w:Category>" };
    let first = talk.ask(device, request, |response| {
        at(soap::all(response, "Media").next().and_then(|media| soap::text(media, "XAddr")))
    })?;
    if first.is_none() { Err(Problem::NoMedia) } else { Ok(Media { first, second: None }) }
}

impl Answers {
    /// Maker, model, firmware. A camera that keeps them to itself is asked on.
    fn introduce(&mut self, talk: &mut Talk<'_>, device: &Url) {
        let request = Request { service: DEVICE, name: "GetDeviceInformation", inside: "" };
        let said = talk.ask(device, request, |response| {
            ["Manufacturer", "Model", "FirmwareVersion"].map(|name| soap::text(response, name).and_then(shown))
        });
        if let Ok([maker, model, firmware]) = said {
            (self.maker, self.model, self.firmware) = (maker, model, firmware);
        }
    }
}

/// Name and place of a camera that was not found but named.
fn introduce(talk: &mut Talk<'_>, device: &Url, introduction: &mut Introduction) {
    let request = Request { service: DEVICE, name: "GetScopes", inside: "" };
    let scopes = talk.ask(device, request, |response| {
        let items: Vec<_> = soap::all(response, "ScopeItem").filter_map(|item| item.text()).collect();
        probe::introduced(&items.join(" "))
    });
    if let Ok(scopes) = scopes {
        *introduction = Introduction { endpoint: introduction.endpoint.take(), ..scopes };
    }
}

/// The profiles with their streams, from Media2 if that has any.
fn all_profiles(talk: &mut Talk<'_>, media: Media, place: &Place) -> Result<Vec<Profile>, Problem> {
    let mut result = Err(Problem::NoMedia);
    let services = [
        media.second.map(|url| (url, MEDIA2, "<w:Type>VideoSource</w:Type><w:Type>VideoEncoder</w:Type>")),
        media.first.map(|url| (url, MEDIA, "")),
    ];
    for (url, service, inside) in services.into_iter().flatten() {
        match talk.ask(&url, Request { service, name: "GetProfiles", inside }, profiles) {
            Ok(mut profiles) if !profiles.is_empty() => {
                for profile in &mut profiles {
                    profile.stream = stream(talk, &url, service, &profile.token, place);
                }
                return Ok(profiles);
            }
            Ok(_) => result = Err(Problem::NoProfiles),
            Err(problem) => result = Err(problem),
        }
    }
    result
}

/// Where the stream of a profile is: RTP inside the RTSP connection.
fn stream(
    talk: &mut Talk<'_>,
    url: &Url,
    service: &'static str,
    token: &str,
    place: &Place,
) -> Result<Stream, Problem> {
    let token = format!("<w:ProfileToken>{}</w:ProfileToken>", soap::escaped(token));
    let ways: &[String] = &if service == MEDIA2 {
        // The second is what all have to know; some know only that.
        ["RTSP", "RtspUnicast"].map(|protocol| format!("<w:Protocol>{protocol}</w:Protocol>{token}")).to_vec()
    } else {
        vec![format!(
            "<w:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol>\
             </tt:Transport></w:StreamSetup>{token}"
        )]
    };
    let mut result = Err(Problem::NoMedia);
    for inside in ways {
        result = talk.ask(url, Request { service, name: "GetStreamUri", inside }, stream_uri);
        if !matches!(result, Err(Problem::Fault { .. })) {
            break;
        }
    }
    let uri = result?.ok_or_else(|| Problem::NoAddress("it is empty".to_owned()))?;
    Stream::read(&uri, &place.host, place.peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(inside: &str) -> Option<String> {
        let text = format!("<R xmlns:tt='t'><tt:UTCDateTime>{inside}</tt:UTCDateTime></R>");
        time(roxmltree::Document::parse(&text).unwrap().root_element()).map(|time| time.to_string())
    }

    #[test]
    fn the_time_of_a_camera() {
        let time = "<tt:Time><tt:Hour>23</tt:Hour><tt:Minute>59</tt:Minute><tt:Second>60</tt:Second></tt:Time>";
        let date = "<tt:Date><tt:Year>1970</tt:Year><tt:Month>1</tt:Month><tt:Day>2</tt:Day></tt:Date>";
        assert_eq!(told(&format!("{time}{date}")).as_deref(), Some("1970-01-02T23:59:59Z"));
        assert_eq!(told(&format!("{time}{}", date.replace(">1<", ">13<"))), None);
        assert_eq!(told(&format!("{time}{}", date.replace("1970", "99999"))), None);
        assert_eq!(told(time), None);
    }
}
