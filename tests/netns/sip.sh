#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# sip: SIPp calls between guests and a server, over UDP and TCP, with media in both directions; a
# registration, and a call to who has registered; and what happens without the helper.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

require_tungate
require sipp socat jq python3
WORDS=$WORLD/words
mkdir -p "$WORDS"
world_build
namespace second

# ---- scenarios ----

# A second of PCMU, fifty packets.
python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(250)) * 32)' >"$WORDS/tone.raw"

HEAD='Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:alice@[local_ip]:[local_port]>;tag=[call_number]
Call-ID: [call_id]
Contact: <sip:alice@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70'
ECHOED='[last_Via:]
[last_From:]
[last_To:];tag=[pid]
[last_Call-ID:]
[last_CSeq:]'
SDP='Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0'
PLAY="<nop><action><exec rtp_stream=\"$WORDS/tone.raw,1,0\"/></action></nop>
<pause milliseconds=\"1200\"/>"

# scenario NAME: from standard input.
scenario() {
	{
		echo '<?xml version="1.0" encoding="ISO-8859-1" ?><scenario name="test">'
		cat
		echo '</scenario>'
	} >"$WORDS/$1.xml"
}

# caller NAME PORT-WORD [WHAT-THEN]: invites, says goodbye.
caller() {
	scenario "$1" <<-E
		<send retrans="500"><![CDATA[

		INVITE sip:bob@[remote_ip]:[remote_port] SIP/2.0
		$HEAD
		To: <sip:bob@[remote_ip]:[remote_port]>
		CSeq: 1 INVITE
		$SDP
		m=audio [$2] RTP/AVP 0

		]]></send>
		<recv response="200" rrs="true"/>
		<send><![CDATA[

		ACK [next_url] SIP/2.0
		$HEAD
		To: <sip:bob@[remote_ip]:[remote_port]>[peer_tag_param]
		CSeq: 1 ACK
		Content-Length: 0

		]]></send>
		${3:-}
		<send retrans="500"><![CDATA[

		BYE [next_url] SIP/2.0
		$HEAD
		To: <sip:bob@[remote_ip]:[remote_port]>[peer_tag_param]
		CSeq: 2 BYE
		Content-Length: 0

		]]></send>
		<recv response="200"/>
	E
}

# called NAME PORT-WORD [WHAT-THEN]
called() {
	scenario "$1" <<-E
		<recv request="INVITE"/>
		<send retrans="500"><![CDATA[

		SIP/2.0 200 OK
		$ECHOED
		Contact: <sip:bob@[local_ip]:[local_port];transport=[transport]>
		$SDP
		m=audio [$2] RTP/AVP 0

		]]></send>
		<recv request="ACK"/>
		${3:-}
		<recv request="BYE"/>
		<send><![CDATA[

		SIP/2.0 200 OK
		$ECHOED
		Content-Length: 0

		]]></send>
	E
}

caller caller-plays rtpstream_audio_port "$PLAY"
called called-listens media_port
caller caller-listens media_port '<pause milliseconds="1800"/>'
called called-plays rtpstream_audio_port "$PLAY"
scenario registers <<-E
	<send retrans="500"><![CDATA[

	REGISTER sip:[remote_ip] SIP/2.0
	$HEAD
	To: <sip:alice@[remote_ip]>
	CSeq: 1 REGISTER
	Expires: 600
	Content-Length: 0

	]]></send>
	<recv response="200"/>
E
scenario registrar <<-E
	<recv request="REGISTER"/>
	<send><![CDATA[

	SIP/2.0 200 OK
	$ECHOED
	[last_Contact:];expires=600
	Content-Length: 0

	]]></send>
E

# ---- telephones ----

# telephone NAMESPACE SCENARIO ADDRESS [OPTION...]: one call from port 5060; who listens sends the
# media back.  What it says and hears is in $WORLD/log/NAMESPACE.messages.
telephone() {
	local name=$1 scenario=$2 address=$3
	shift 3
	[[ $scenario != *-listens ]] || set -- -rtp_echo "$@"
	ns "$name" timeout 20 sipp -sf "$WORDS/$scenario.xml" -i "$address" -p 5060 \
		-mi "$address" -mp "$media_port" -m 1 -nostdin -skip_rlimit -timeout 15s \
		-timeout_error -trace_msg -message_file "$WORLD/log/$name.messages" "$@" </dev/null
}

# Wait for a call as telephone() does, in the background; each has other ports for media.
media_port=4000
answering() {
	media_port=$((media_port + 10))
	telephone "$@" >"$WORLD/log/$1-sipp" 2>&1 &
	answering=$!
	within 5 rings "$1"
}

rings() {
	[ -n "$(ns "$1" ss -Hln 'sport = :5060')" ]
}

# call TEXT CALLER CALLED TRANSPORT: from the guest to the server.
call() {
	answering server "$3" $SERVER4 -t "$4"
	expect "$1" telephone guest "$2" $GUEST4 -t "$4" $SERVER4:5060
	expect "... and the server says so too" wait $answering
}

# Flows of media with packets both ways.
media() {
	flows '.protocol == "udp" and .original.destination_port != 5060 and
		([.original, .reply] | all(.counter.packets > 20))'
}

# Nothing outside names a guest.
no_guest_is_named() {
	cat "$WORLD/log/server.messages"
	! grep -v ^Call-ID "$WORLD/log/server.messages" | grep -F 10.77.0.
}

# ---- with the helper ----

gateway_config <<-E
	[helpers]
	sip =
E
gateway_start
guest_attach second 10.77.0.3,fd77:7467::3

call "a call over UDP, the guest speaks first" caller-plays called-listens u1
expect_equal "its media go both ways" 1 "$(media)"
expect "nothing names the guest" no_guest_is_named
call "a call over UDP, the server speaks first" caller-listens called-plays u1
expect_equal "its media go both ways" 2 "$(media)"
call "a call over TCP" caller-plays called-listens t1
expect_equal "its media go both ways" 3 "$(media)"
expect "nothing names the guest" no_guest_is_named

# Two guests with the same port numbers, at once.
answering server called-listens $SERVER4 -t u1 -m 2
telephone second caller-plays 10.77.0.3 $SERVER4:5060 >"$WORLD/log/second-sipp" 2>&1 &
other=$!
expect "two guests call at once" telephone guest caller-plays $GUEST4 $SERVER4:5060
expect "... the second one" wait $other
expect "... and the server says so too" wait $answering
expect_equal "media of both go both ways" 5 "$(media)"

answering server registrar $SERVER4
expect "a guest registers" telephone guest registers $GUEST4 $SERVER4:5060
wait $answering
contact=$(sed -n 's/^Contact: <sip:alice@\([^;>]*\).*/\1/p' "$WORLD/log/server.messages" | head -1)
expect_equal "at the gateway's address" $HOST4 "${contact%:*}"
answering guest called-listens $GUEST4
expect "who has registered is called" telephone server caller-plays $SERVER4 "$contact"
expect "... and says so too" wait $answering
expect_equal "media go both ways" 6 "$(media)"
gateway_stop

# ---- without ----

gateway_config </dev/null
gateway_start
printf 'OPTIONS sip:a SIP/2.0\r\nContact: <sip:a@%s:5060>\r\nContent-Length: 0\r\n\r\n' $GUEST4 \
	>"$WORDS/options"
spawn server receiver socat -u UDP4-RECV:5060 "OPEN:$WORDS/received,creat"
within 5 listens_udp server 5060
ns guest socat -u "OPEN:$WORDS/options" UDP4-SENDTO:$SERVER4:5060,sourceport=5060
eventually 3 "without a helper a message stays as it is" cmp "$WORDS/options" "$WORDS/received"

finish
