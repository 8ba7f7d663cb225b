"""A small operations centre: stores alerts in SQLite, tells the box what it has, notices a lost box.

consumer.py HOST PORT DATABASE
"""

import contextlib, json, sqlite3, sys, time

import paho.mqtt.client as mqtt

NAME = "ops"  # the last level of `receipt/<consumer>`
QUIET = 10  # seconds without news of a box after which a hole is a loss: new alerts overtake late ones

TABLES = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS alert (id TEXT PRIMARY KEY, incident TEXT, rev INTEGER, event TEXT);
CREATE TABLE IF NOT EXISTS span (box TEXT, first INTEGER, last INTEGER);
CREATE TABLE IF NOT EXISTS box (path TEXT PRIMARY KEY, state TEXT, session INTEGER);
"""


class Centre:
    def __init__(self, path):
        self.db = sqlite3.connect(path)
        self.db.executescript(TABLES)
        self.heard, self.told = {}, {}

    def alert(self, box, event):
        incident, sequence = event["data"]["incident"], int(event["sequence"])
        with self.db:  # one transaction: what a receipt names is on the disk
            row = (event["id"], incident["id"], incident["rev"], json.dumps(event))
            new = self.db.execute("INSERT OR IGNORE INTO alert VALUES (?, ?, ?, ?)", row).rowcount
            self.have(box, sequence, sequence)
        if new:  # otherwise it is a repetition
            print("alert", sequence, incident["phase"], *event["data"]["text"].values(), flush=True)

    def gap(self, box, gap):
        with self.db:  # these never come: nobody need wait for them
            for span in gap["ranges"]:
                self.have(box, int(span["first"]), int(span["last"]))
        print("gap", box, gap["ranges"], flush=True)

    def have(self, box, first, last):
        """Joins the numbers to the spans that they overlap or touch."""
        touching = "FROM span WHERE box = ? AND last >= ? AND first <= ?"
        where = (box, first - 1, last + 1)
        low, high = self.db.execute("SELECT min(first), max(last) " + touching, where).fetchone()
        self.db.execute("DELETE " + touching, where)
        self.db.execute("INSERT INTO span VALUES (?, ?, ?)", (box, min(first, low or first), max(last, high or last)))

    def status(self, box, status):
        known = self.db.execute("SELECT session FROM box WHERE path = ?", (box,)).fetchone()
        if known and status["session"] < known[0]:
            return  # a last will that is older than the birth we know
        with self.db:
            self.db.execute("INSERT OR REPLACE INTO box VALUES (?, ?, ?)", (box, status["state"], status["session"]))
        print("box", box, status["state"], flush=True)

    def receipt(self, box, with_missing):
        spans = self.db.execute("SELECT first, last FROM span WHERE box = ? ORDER BY first", (box,)).fetchall()
        holes = [(a + 1, b - 1) for (_, a), (b, _) in zip([(0, 0), *spans], spans) if b > a + 1]  # they begin with 1
        name = lambda pairs: [{"first": f"{first:020}", "last": f"{last:020}"} for first, last in pairs]
        up_to = spans.pop(0)[1] if spans and spans[0][0] <= 1 else 0
        return {"up_to": f"{up_to:020}", "ranges": name(spans), "missing": name(holes) if with_missing else []}

    def answer(self, client):
        for box, at in list(self.heard.items()):
            quiet = time.monotonic() - at >= QUIET
            receipt = self.receipt(box, with_missing=quiet)
            if receipt != self.told.get(box):
                client.publish(f"{box}/receipt/{NAME}", json.dumps(receipt), qos=1, retain=True)
                self.told[box] = receipt
            if quiet:
                del self.heard[box]

    def on_connect(self, client, *_):
        client.subscribe([(f"karaul1/+/+/+/+/{kind}", 1) for kind in ("alert/#", "gap/box", "status/box")])

    def on_message(self, client, userdata, message):  # paho sends the PUBACK when this returns
        path = message.topic.split("/")
        box, kind = "/".join(path[:5]), path[5]
        try:
            {"alert": self.alert, "gap": self.gap, "status": self.status}[kind](box, json.loads(message.payload))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            print("not understood:", message.topic, repr(error), file=sys.stderr)
        if kind != "status":
            self.heard[box] = time.monotonic()


centre = Centre(sys.argv[3])
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="centre-" + NAME, clean_session=False)
client.on_connect, client.on_message = centre.on_connect, centre.on_message
client.connect(sys.argv[1], int(sys.argv[2]))
while True:
    if client.loop(1.0) != mqtt.MQTT_ERR_SUCCESS:
        time.sleep(1)
        with contextlib.suppress(OSError):
            client.reconnect()
    centre.answer(client)
