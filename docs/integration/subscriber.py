import json, sys
from paho.mqtt import subscribe

def on_message(client, userdata, message):
    event = json.loads(message.payload)
    incident, text = event["data"]["incident"], event["data"]["text"]
    print(event["sequence"], incident["phase"], incident["severity"], event["subject"], *text.values(), sep="  ", flush=True)

subscribe.callback(on_message, "karaul1/+/+/+/+/alert/#", qos=1, hostname=sys.argv[1], port=int(sys.argv[2]),
                   client_id="centre-python", clean_session=False)
