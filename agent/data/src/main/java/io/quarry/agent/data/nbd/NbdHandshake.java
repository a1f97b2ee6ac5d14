package io.quarry.agent.data.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The negotiation before the first request: fixed newstyle, structured replies, contexts, then go.
 */
final class NbdHandshake {
  /** The servers that agents start have one export, whose name is empty. */
  private static final String EXPORT = "";

  private final NbdSocket socket;

  private NbdHandshake(NbdSocket socket) {
    this.socket = socket;
  }

  /** Agrees on the export, and on the contexts that the server has. */
  static NbdExport run(NbdSocket socket, List<String> contexts) throws IOException {
    return new NbdHandshake(socket).run(contexts);
  }

  private NbdExport run(List<String> contexts) throws IOException {
    expect(socket.readLong() == NbdProtocol.NBD_MAGIC, "is no NBD server");
    expect(socket.readLong() == NbdProtocol.OPTION_MAGIC, "speaks no newstyle NBD");
    int serverFlags = socket.readUnsignedShort();
    int wanted = NbdProtocol.FLAG_FIXED_NEWSTYLE | NbdProtocol.FLAG_NO_ZEROES;
    expect((serverFlags & wanted) == wanted, "speaks no fixed newstyle NBD");
    socket.write(ByteBuffer.allocate(Integer.BYTES).putInt(wanted).flip());

    send(NbdProtocol.OPT_STRUCTURED_REPLY, ByteBuffer.allocate(0));
    expect(
        reply(NbdProtocol.OPT_STRUCTURED_REPLY).type() == NbdProtocol.REP_ACK,
        "structured replies");
    Map<Integer, String> agreed = contexts.isEmpty() ? Map.of() : agreeOnContexts(contexts);
    return go(agreed);
  }

  private Map<Integer, String> agreeOnContexts(List<String> contexts) throws IOException {
    List<byte[]> names = new ArrayList<>();
    int length = 4 + EXPORT.length() + 4;
    for (String context : contexts) {
      byte[] name = context.getBytes(StandardCharsets.UTF_8);
      names.add(name);
      length += 4 + name.length;
    }
    ByteBuffer query = ByteBuffer.allocate(length).putInt(EXPORT.length()).putInt(names.size());
    names.forEach(name -> query.putInt(name.length).put(name));
    send(NbdProtocol.OPT_SET_META_CONTEXT, query.flip());

    Map<Integer, String> agreed = new HashMap<>();
    Reply reply = reply(NbdProtocol.OPT_SET_META_CONTEXT);
    while (reply.type() == NbdProtocol.REP_META_CONTEXT) {
      int id = reply.data().getInt();
      agreed.put(id, StandardCharsets.UTF_8.decode(reply.data()).toString());
      reply = reply(NbdProtocol.OPT_SET_META_CONTEXT);
    }
    return agreed;
  }

  private NbdExport go(Map<Integer, String> contexts) throws IOException {
    ByteBuffer request = ByteBuffer.allocate(6).putInt(EXPORT.length()).putShort((short) 0);
    send(NbdProtocol.OPT_GO, request.flip());
    long size = -1;
    int flags = 0;
    Reply reply = reply(NbdProtocol.OPT_GO);
    while (reply.type() == NbdProtocol.REP_INFO) {
      if (Short.toUnsignedInt(reply.data().getShort()) == NbdProtocol.INFO_EXPORT) {
        size = reply.data().getLong();
        flags = Short.toUnsignedInt(reply.data().getShort());
      }
      reply = reply(NbdProtocol.OPT_GO);
    }
    expect(size >= 0, "did not tell the size of the export");
    return new NbdExport(size, flags, contexts);
  }

  private record Reply(int type, ByteBuffer data) {}

  private void send(int option, ByteBuffer data) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(16).putLong(NbdProtocol.OPTION_MAGIC);
    head.putInt(option).putInt(data.remaining());
    socket.write(head.flip(), data);
  }

  private Reply reply(int option) throws IOException {
    expect(socket.readLong() == NbdProtocol.OPTION_REPLY_MAGIC, "lost the thread of the talk");
    expect(socket.readInt() == option, "answers another question");
    int type = socket.readInt();
    ByteBuffer data = socket.read(socket.readInt(), NbdProtocol.TEXT_BYTES_MAX);
    if (type < 0) {
      String why = StandardCharsets.UTF_8.decode(data).toString();
      throw new IOException(socket.path() + ": the server refuses option " + option + ": " + why);
    }
    return new Reply(type, data);
  }

  private void expect(boolean condition, String otherwise) throws IOException {
    if (!condition) {
      throw new IOException(socket.path() + ": the server " + otherwise);
    }
  }
}
