package io.quarry.agent.data.nbd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Reads replies and completes the requests that the replies belong to. Runs on the connection's
 * reader thread.
 */
final class NbdReplies {
  private static final int BYTES_PER_STATUS = 8;

  private final NbdSocket socket;
  private final NbdExport export;
  private final LongFunction<@Nullable NbdRequest> find;
  private final LongFunction<@Nullable NbdRequest> remove;

  /**
   * The two functions find a request under way by its handle; for an unknown handle they return
   * null.
   */
  NbdReplies(
      NbdSocket socket,
      NbdExport export,
      LongFunction<@Nullable NbdRequest> find,
      LongFunction<@Nullable NbdRequest> remove) {
    this.socket = socket;
    this.export = export;
    this.find = find;
    this.remove = remove;
  }

  void readOne() throws IOException {
    int magic = socket.readInt();
    switch (magic) {
      case NbdProtocol.SIMPLE_REPLY_MAGIC -> readSimple();
      case NbdProtocol.STRUCTURED_REPLY_MAGIC -> readStructured();
      default -> throw new IOException(socket.path() + ": no reply: " + Integer.toHexString(magic));
    }
  }

  private void readSimple() throws IOException {
    int errno = socket.readInt();
    long handle = socket.readLong();
    NbdRequest request = known(find.apply(handle), handle);
    if (errno != 0) {
      request.addError(describe(errno, ""));
    } else if (request.command() == NbdProtocol.CMD_READ) {
      socket.readFully(request.place(request.offset(), request.length()));
    }
    known(remove.apply(handle), handle).end();
  }

  private void readStructured() throws IOException {
    int flags = socket.readUnsignedShort();
    int type = socket.readUnsignedShort();
    long handle = socket.readLong();
    int length = socket.readInt();
    NbdRequest request = known(find.apply(handle), handle);
    switch (type) {
      case NbdProtocol.REPLY_NONE -> {}
      case NbdProtocol.REPLY_OFFSET_DATA -> {
        long at = socket.readLong();
        socket.readFully(request.place(at, length - Long.BYTES));
      }
      case NbdProtocol.REPLY_OFFSET_HOLE -> {
        long at = socket.readLong();
        long hole = Integer.toUnsignedLong(socket.readInt());
        MemorySegment.ofBuffer(request.place(at, hole)).fill((byte) 0);
      }
      case NbdProtocol.REPLY_BLOCK_STATUS -> readStatus(request, length);
      default -> readOther(request, type, length);
    }
    if ((flags & NbdProtocol.REPLY_FLAG_DONE) != 0) {
      known(remove.apply(handle), handle).end();
    }
  }

  private void readStatus(NbdRequest request, int length) throws IOException {
    ByteBuffer data = socket.read(length, NbdProtocol.STATUS_BYTES_MAX);
    String context = data.remaining() < Integer.BYTES ? null : export.contexts().get(data.getInt());
    if (context == null || data.remaining() % BYTES_PER_STATUS != 0 || !data.hasRemaining()) {
      throw new IOException(socket.path() + ": block status that was not asked for");
    }
    request.addStatus(context, data);
  }

  private void readOther(NbdRequest request, int type, int length) throws IOException {
    if ((type & NbdProtocol.REPLY_ERROR_BIT) == 0) {
      throw new IOException(socket.path() + ": unknown type of reply " + type);
    }
    ByteBuffer data = socket.read(length, NbdProtocol.TEXT_BYTES_MAX);
    int errno = data.getInt();
    int textLength = Math.min(Short.toUnsignedInt(data.getShort()), data.remaining());
    String text = StandardCharsets.UTF_8.decode(data.slice(data.position(), textLength)).toString();
    request.addError(describe(errno, text));
  }

  private NbdRequest known(@Nullable NbdRequest request, long handle) throws IOException {
    if (request == null) {
      throw new IOException(socket.path() + ": reply to an unknown request " + handle);
    }
    return request;
  }

  private static String describe(int errno, String text) {
    return text.isEmpty() ? "error " + errno + " of the server" : text;
  }
}
