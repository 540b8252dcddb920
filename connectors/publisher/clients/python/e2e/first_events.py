"""In the folder of an invitation: publishes events of which one cannot be read and one is a copy, and prints what
became of each. tests/tests/gateway/clients.rs runs it against a real gateway."""

import json
from pathlib import Path

from waybill_client import Gateway, Sealer

invite = json.loads(Path("waybill.json").read_text())
gateway = Gateway(invite["endpoint"], Path("api-key").read_text().strip())
signing_key = Path("signing-key.pem").read_bytes()
sealer = Sealer(invite["carrier"], invite["audience"], signing_key, gateway.platform_keys)
payload = Path(invite["example"]).read_bytes()
messages = [("m-1", payload), ("m-2", payload), ("m-3", payload), ("bad", b"no event")]
events = [sealer.seal(body, invite["media_type"], f"é {id_}", id_) for id_, body in messages]
answers = []
for result in gateway.publish([*events, events[0]]):
    answer = gateway.wait(result)
    codes = [reject["code"] for reject in answer.get("rejects") or []]
    answers.append([result.id, answer["status"], codes])
print(json.dumps(answers))
