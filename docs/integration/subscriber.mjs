import mqtt from "mqtt";

const [host, port] = process.argv.slice(2);
const client = mqtt.connect(`mqtt://${host}:${port}`, { clientId: "centre-node", clean: false });
client.on("connect", () => client.subscribe("karaul1/+/+/+/+/alert/#", { qos: 1 }));
client.on("message", (topic, payload) => {
  const { sequence, subject, data } = JSON.parse(payload);
  const { phase, severity } = data.incident;
  console.log([sequence, phase, severity, subject, ...Object.values(data.text)].join("  "));
});
