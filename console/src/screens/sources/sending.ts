/** Ready-made lines that send a first observation with a device token. */

const MQTT_PORT = 1883;

const quote = (text: string) => `'${text.replace(/'/g, `'\\''`)}'`;

export function entityOf(source: string): string {
  return `urn:ngsi-ld:Device:${source}`;
}

export function mqttLine(host: string, source: string, token: string): string {
  const payload = quote('{"temperature": 29.4}');
  return [
    `mosquitto_pub -h ${host} -p ${MQTT_PORT} -q 1`,
    `-u ${quote(source)} -P ${quote(token)}`,
    `-t ${quote(`dothi/v1/${entityOf(source)}`)} -m ${payload}`,
  ].join(' \\\n  ');
}

export function httpLine(root: string, source: string, token: string, at: Date): string {
  const row = {
    entity: entityOf(source),
    type: 'Device',
    attribute: 'temperature',
    value: 29.4,
    unit: 'CEL',
    observedAt: at.toISOString(),
  };
  return [
    `curl ${root}/api/v1/observations`,
    `-H ${quote(`Authorization: Bearer ${token}`)}`,
    `-H 'Content-Type: application/json'`,
    `-d ${quote(JSON.stringify([row]))}`,
  ].join(' \\\n  ');
}
