import json, sys
import paho.mqtt.client as mqtt

def on_message(client, userdata, message):
    event = json.loads(message.payload)
    incident, text = event["data"]["incident"], event["data"]["text"]
    print(event["sequence"], incident["phase"], incident["severity"], event["subject"], *text.values(), sep="  ", flush=True)

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="centre-python", clean_session=False)
client.on_connect = lambda client, *_: client.subscribe("karaul1/+/+/+/+/alert/#", qos=1)
client.on_message = on_message
client.connect(sys.argv[1], int(sys.argv[2]))
client.loop_forever()
