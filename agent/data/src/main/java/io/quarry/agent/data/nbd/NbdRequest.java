package io.quarry.agent.data.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way. The calling thread waits. The connection's reader completes the request,
 * and does not touch the buffer after that.
 */
final class NbdRequest {
  private final int command;
  private final long offset;
  private final long length;
  private final @Nullable ByteBuffer readInto;
  private final Map<String, List<BlockStatus>> status = new HashMap<>();
  private final CountDownLatch done = new CountDownLatch(1);
  private long received;
  private @Nullable String error;
  private @Nullable IOException failure;

  NbdRequest(int command, long offset, long length, @Nullable ByteBuffer readInto) {
    this.command = command;
    this.offset = offset;
    this.length = length;
    this.readInto = readInto;
  }

  int command() {
    return command;
  }

  long offset() {
    return offset;
  }

  long length() {
    return length;
  }

  /** The place of a piece of the answer to a read. */
  ByteBuffer place(long at, long pieceLength) throws IOException {
    if (readInto == null || at < offset || pieceLength < 0 || at + pieceLength > offset + length) {
      throw new IOException(
          "data of " + pieceLength + " bytes at " + at + " that was not asked for");
    }
    received += pieceLength;
    return readInto.slice(Math.toIntExact(at - offset), Math.toIntExact(pieceLength));
  }

  /** Takes the answer of one context: pairs of length and flags, from the request's offset on. */
  void addStatus(String context, ByteBuffer pairs) {
    List<BlockStatus> list = status.computeIfAbsent(context, name -> new ArrayList<>());
    long at = list.isEmpty() ? offset : list.getLast().end();
    while (pairs.remaining() >= 8) {
      long pieceLength = Integer.toUnsignedLong(pairs.getInt());
      list.add(new BlockStatus(at, pieceLength, pairs.getInt()));
      at += pieceLength;
    }
  }

  /** Notes the server's error; the request ends with its last message. */
  void addError(String text) {
    error = error == null ? text : error;
  }

  void end() {
    if (error == null && readInto != null && received != length) {
      error = received + " of " + length + " bytes came";
    }
    done.countDown();
  }

  /** Ends the request because the connection is lost. */
  void fail(IOException why) {
    failure = why;
    done.countDown();
  }

  boolean await(long nanos) throws InterruptedException {
    return done.await(nanos, TimeUnit.NANOSECONDS);
  }

  /** Call this only after the request has ended. */
  Map<String, List<BlockStatus>> result(String what) throws IOException {
    if (failure != null) {
      throw new IOException(what + ": connection lost", failure);
    }
    if (error != null) {
      throw new IOException(what + ": " + error);
    }
    return status;
  }
}
