package io.quarry.it.blocks;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** One connection to a {@link VolatileDisk}, in the protocol of network block devices. */
final class NbdServer {
  private static final long GREETING = 0x4e42444d41474943L;
  private static final long OPTION = 0x49484156454f5054L;
  private static final long OPTION_REPLY = 0x3e889045565a9L;
  private static final int REPLY = 0x67446698;
  private static final short FIXED_NEWSTYLE = 1;
  private static final int OPTION_GO = 7;
  private static final int REPLY_ACK = 1;
  private static final int REPLY_INFO = 3;
  private static final int REPLY_UNSUPPORTED = 0x8000_0001;
  private static final int EXPORT_INFO_BYTES = 12;

  /** The export has flags, and takes flushes, FUA and several connections. */
  private static final short EXPORT_FLAGS = 1 | 4 | 8 | 256;

  private static final int READ = 0;
  private static final int WRITE = 1;
  private static final int DISCONNECT = 2;
  private static final int FLUSH = 3;
  private static final int FORCE_UNIT_ACCESS = 1;
  private static final int REQUEST_BYTES = 28;
  private static final int INVALID = 22;

  private final VolatileDisk disk;
  private final SocketChannel socket;

  NbdServer(VolatileDisk disk, SocketChannel socket) {
    this.disk = disk;
    this.socket = socket;
  }

  void run() throws IOException {
    shakeHands();
    boolean more = true;
    while (more) {
      more = answer(receive(REQUEST_BYTES));
    }
  }

  private void shakeHands() throws IOException {
    send(ByteBuffer.allocate(18).putLong(GREETING).putLong(OPTION).putShort(FIXED_NEWSTYLE));
    int flags = receive(Integer.BYTES).getInt();
    int option;
    do {
      ByteBuffer head = receive(16);
      long magic = head.getLong();
      option = head.getInt();
      receive(head.getInt());
      if (flags != FIXED_NEWSTYLE || magic != OPTION) {
        throw new IOException("unknown client");
      }
      if (option == OPTION_GO) {
        ByteBuffer info = option(option, REPLY_INFO, EXPORT_INFO_BYTES);
        send(info.putShort((short) 0).putLong(disk.size()).putShort(EXPORT_FLAGS));
        send(option(option, REPLY_ACK, 0));
      } else {
        send(option(option, REPLY_UNSUPPORTED, 0));
      }
    } while (option != OPTION_GO);
  }

  private static ByteBuffer option(int option, int reply, int bytes) {
    return ByteBuffer.allocate(20 + bytes)
        .putLong(OPTION_REPLY)
        .putInt(option)
        .putInt(reply)
        .putInt(bytes);
  }

  /** False when the client takes its leave. */
  private boolean answer(ByteBuffer request) throws IOException {
    boolean forced = (request.getShort(4) & FORCE_UNIT_ACCESS) != 0;
    int type = request.getShort(6);
    long cookie = request.getLong(8);
    long offset = request.getLong(16);
    int length = request.getInt(24);
    byte[] read = new byte[type == READ ? length : 0];
    int error = 0;
    switch (type) {
      case READ -> disk.read(offset, read);
      case WRITE -> {
        disk.write(offset, receive(length).array());
        if (forced) {
          disk.flush();
        }
      }
      case FLUSH -> disk.flush();
      case DISCONNECT -> {
        return false;
      }
      default -> error = INVALID;
    }
    ByteBuffer reply = ByteBuffer.allocate(16 + read.length);
    send(reply.putInt(REPLY).putInt(error).putLong(cookie).put(read));
    return true;
  }

  private ByteBuffer receive(int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      if (socket.read(buffer) < 0) {
        throw new EOFException("the client is gone");
      }
    }
    return buffer.flip();
  }

  private void send(ByteBuffer message) throws IOException {
    message.flip();
    while (message.hasRemaining()) {
      socket.write(message);
    }
  }
}
