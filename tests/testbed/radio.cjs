// Preloaded into Node before zigbee2mqtt: a pretend Zigbee radio. Each frame that is sent to a device is printed and
// acknowledged. A line of JSON {"nwk", "ep", "cluster", "attrs"} on PRETEND_RADIO_PORT is a device's report.
// A line {"mute": "0x…"} makes that device deaf, {"hear": "0x…"} brings it back. Lamps and plugs remember whether they
// are on, and say so when they are asked.
const net = require("node:net");
const {Adapter} = require("zigbee-herdsman/dist/adapter/adapter");
const {Zcl, Zdo} = require("zigbee-herdsman");

const ATTRIBUTES = {
  genLevelCtrl: {currentLevel: 128},
  lightingColorCtrl: {colorMode: 2, colorTemperature: 370},
};
const PARAMETERS = {panID: 6754, extendedPanID: "0xdddddddddddddddd", channel: 11, nwkUpdateID: 0};

class PretendRadio extends Adapter {
  deaf = new Set();
  lit = new Set();

  async start() {
    net.createServer((socket) => socket.on("data", (data) => this.hear(data.toString())))
      .listen(Number(process.env.PRETEND_RADIO_PORT), "127.0.0.1");
    return "resumed";
  }

  hear(lines) {
    for (const line of lines.trim().split("\n")) {
      const told = JSON.parse(line);
      if (told.mute) this.deaf.add(told.mute);
      else if (told.hear) this.deaf.delete(told.hear);
      else this.report(told);
    }
  }

  report({nwk, ep, cluster, attrs}) {
    const known = Zcl.Utils.getCluster(cluster, undefined, {}).attributes;
    const list = Object.entries(attrs).map(([name, attrData]) => (
      {attrId: known[name].ID, dataType: known[name].type, attrData}));
    this.emit("zclPayload", this.payload(Zcl.Frame.create(0, 1, true, undefined, 1, "report", cluster, list, {}), nwk, ep));
  }

  payload(frame, address, endpoint) {
    return {clusterID: frame.cluster.ID, header: frame.header, data: frame.toBuffer(), address, endpoint,
      linkquality: 120, groupID: 0, wasBroadcast: false, destinationEndpoint: 1};
  }

  async sendZclFrameToEndpoint(ieee, nwk, ep, frame, timeout, noReply) {
    console.log("ZCL", JSON.stringify(
      {ieee, ep, cluster: frame.cluster.name, command: frame.command.name, payload: frame.payload}));
    if (this.deaf.has(ieee)) throw new Error("no acknowledgement");
    if (frame.command.name === "off") this.lit.delete(ieee);
    if (["on", "moveToLevelWithOnOff"].includes(frame.command.name)) this.lit.add(ieee);
    if (noReply) return undefined;
    const number = frame.header.transactionSequenceNumber;
    if (frame.header.frameControl.frameType !== 0 || frame.command.name !== "read") {
      const done = {cmdId: frame.command.ID, statusCode: 0};
      return this.payload(Zcl.Frame.create(0, 1, true, undefined, number, "defaultRsp", frame.cluster.name, done, {}), nwk, ep);
    }
    const list = frame.payload.map(({attrId}) => {
      const attribute = Object.values(frame.cluster.attributes).find((each) => each.ID === attrId);
      const attrData = attribute?.name === "onOff" ? Number(this.lit.has(ieee))
        : attribute && ATTRIBUTES[frame.cluster.name]?.[attribute.name];
      return attrData === undefined ? {attrId, status: 0x86} : {attrId, status: 0, dataType: attribute.type, attrData};
    });
    const answer = this.payload(Zcl.Frame.create(0, 1, true, undefined, number, "readRsp", frame.cluster.name, list, {}), nwk, ep);
    setImmediate(() => this.emit("zclPayload", answer));
    return answer;
  }

  async sendZclFrameToGroup(id, frame) {
    console.log("ZCL group", id, frame.cluster.name, frame.command.name, JSON.stringify(frame.payload));
  }

  async sendZdo(ieee, nwk, cluster, payload, noReply) { return noReply ? undefined : [Zdo.Status.SUCCESS, {}]; }
  waitFor() { return {promise: new Promise(() => {}), cancel() {}}; }
  async sendZclFrameToAll() {}
  async stop() {}
  async reset() {}
  async permitJoin() {}
  async addInstallCode() {}
  async supportsBackup() { return false; }
  async backup() { throw new Error("a pretend radio has no backup"); }
  async getCoordinatorIEEE() { return "0x00124b0000000001"; }
  async getCoordinatorVersion() { return {type: "pretend", meta: {revision: "1"}}; }
  async getNetworkParameters() { return PARAMETERS; }
}

Adapter.create = async (...settings) => new PretendRadio(...settings);
