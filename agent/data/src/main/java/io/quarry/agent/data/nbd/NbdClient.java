package io.quarry.agent.data.nbd;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One connection to an NBD server. Every method blocks until the server has answered. Threads that
 * call at the same time have their requests in flight together. One thread of the connection reads
 * all replies, so that data lands in the caller's memory without a copy.
 *
 * <p>A lost connection, a missed deadline and a {@link #close} end all requests under way with an
 * {@link IOException} at once. An interrupt of a sending thread closes the connection, as with
 * every interruptible channel. A thread that waits for an answer is not interruptible, since the
 * answer may be landing in its memory.
 */
public final class NbdClient implements Closeable {
  /** A server that sends no bytes for so long has a hanging storage. */
  private static final Duration REQUEST_DEADLINE = Duration.ofMinutes(2);

  private final NbdSocket socket;
  private final Map<Long, NbdRequest> inFlight = new ConcurrentHashMap<>();
  private final AtomicLong lastHandle = new AtomicLong();
  private final Semaphore slots = new Semaphore(NbdProtocol.IN_FLIGHT_MAX);
  private final ReentrantLock sending = new ReentrantLock();
  private final ByteBuffer head = ByteBuffer.allocateDirect(NbdProtocol.REQUEST_BYTES);
  private final CompletableFuture<NbdExport> handshake = new CompletableFuture<>();
  private final Thread reader;
  private volatile @Nullable IOException lost;

  private NbdClient(NbdSocket socket, List<String> contexts) {
    this.socket = socket;
    this.reader =
        Thread.ofPlatform()
            .daemon()
            .name("nbd-" + socket.path().getFileName())
            .unstarted(() -> readReplies(contexts));
  }

  /**
   * Connects to a server that listens already, and waits until the server is ready.
   *
   * @param contexts the wanted kinds of block status; answers lack those that the server does not
   *     have
   */
  public static NbdClient connect(Path socket, List<String> contexts, Duration deadline)
      throws IOException, InterruptedException {
    NbdClient client = new NbdClient(NbdSocket.connect(socket), contexts);
    client.reader.start();
    try {
      var _ = client.handshake.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
      return client;
    } catch (TimeoutException e) {
      client.close();
      throw new IOException(socket + ": no answer within " + deadline, e);
    } catch (ExecutionException e) {
      client.close();
      throw new IOException(socket + ": connection lost in the handshake", e.getCause());
    } catch (InterruptedException e) {
      client.close();
      throw e;
    }
  }

  /** The size of the export in bytes. */
  public long size() {
    return export().size();
  }

  public boolean isReadOnly() {
    return export().has(NbdProtocol.EXPORT_READ_ONLY);
  }

  /** Fills native memory of any size from {@code offset} on. */
  public void read(long offset, MemorySegment into) throws IOException {
    long done = 0;
    while (done < into.byteSize()) {
      long length = Math.min(into.byteSize() - done, NbdProtocol.PAYLOAD_BYTES_MAX);
      ByteBuffer piece = into.asSlice(done, length).asByteBuffer();
      var _ = call(new NbdRequest(NbdProtocol.CMD_READ, offset + done, length, piece), 0, null);
      done += length;
    }
  }

  /** Writes native memory of any size. The data is durable after the next {@link #flush}. */
  public void write(long offset, MemorySegment from) throws IOException {
    long done = 0;
    while (done < from.byteSize()) {
      long length = Math.min(from.byteSize() - done, NbdProtocol.PAYLOAD_BYTES_MAX);
      ByteBuffer piece = from.asSlice(done, length).asByteBuffer();
      var _ = call(new NbdRequest(NbdProtocol.CMD_WRITE, offset + done, length, null), 0, piece);
      done += length;
    }
  }

  /** Makes a range read as zeros. Where the format can, the range takes no space. */
  public void writeZeroes(long offset, long length) throws IOException {
    need(NbdProtocol.EXPORT_SEND_WRITE_ZEROES, "write zeroes");
    range(NbdProtocol.CMD_WRITE_ZEROES, offset, length, NbdProtocol.RANGE_BYTES_MAX);
  }

  /** Makes all writes that have returned durable. */
  public void flush() throws IOException {
    need(NbdProtocol.EXPORT_SEND_FLUSH, "flush");
    var _ = call(new NbdRequest(NbdProtocol.CMD_FLUSH, 0, 0, null), 0, null);
  }

  /** Lets the server read a range; with copy-on-read, into the top image of its chain. */
  public void cache(long offset, long length) throws IOException {
    need(NbdProtocol.EXPORT_SEND_CACHE, "cache");
    range(NbdProtocol.CMD_CACHE, offset, length, NbdProtocol.PAYLOAD_BYTES_MAX);
  }

  /**
   * Asks for the status of a range, by context. Each context's answer begins at {@code offset} and
   * covers at least one byte. An answer may end before the range does, and before another context's
   * answer.
   */
  public Map<String, List<BlockStatus>> blockStatus(long offset, long length) throws IOException {
    long asked = Math.min(length, NbdProtocol.RANGE_BYTES_MAX);
    Map<String, List<BlockStatus>> answer =
        call(new NbdRequest(NbdProtocol.CMD_BLOCK_STATUS, offset, asked, null), 0, null);
    if (answer.isEmpty()) {
      throw new IOException(socket.path() + ": no block status at " + offset);
    }
    return answer;
  }

  /** Ends the connection; a server without other clients ends, too. */
  @Override
  public void close() {
    // This method does not wait for a sender that hangs; the server also notices that the socket is
    // closed.
    if (sending.tryLock()) {
      try {
        if (lost == null) {
          socket.write(request(NbdProtocol.CMD_DISC, 0, 0, 0, 0));
        }
      } catch (IOException e) {
        lose(e);
      } finally {
        sending.unlock();
      }
    }
    lose(new IOException(socket.path() + ": closed"));
  }

  private NbdExport export() {
    return handshake.resultNow();
  }

  private void need(int flag, String what) throws IOException {
    if (!export().has(flag)) {
      throw new IOException(socket.path() + ": the server does not offer " + what);
    }
  }

  private void range(int command, long offset, long length, long step) throws IOException {
    long end = offset + length;
    for (long at = offset; at < end; at += step) {
      var _ = call(new NbdRequest(command, at, Math.min(step, end - at), null), 0, null);
    }
  }

  private Map<String, List<BlockStatus>> call(
      NbdRequest request, int flags, @Nullable ByteBuffer payload) throws IOException {
    slots.acquireUninterruptibly();
    try {
      send(request, flags, payload);
      await(request);
    } finally {
      slots.release();
    }
    return request.result(
        socket.path() + ": command " + request.command() + " at " + request.offset());
  }

  private void send(NbdRequest request, int flags, @Nullable ByteBuffer payload)
      throws IOException {
    long handle = lastHandle.incrementAndGet();
    inFlight.put(handle, request);
    sending.lock();
    try {
      if (lost != null) {
        throw new IOException(socket.path() + ": connection lost", lost);
      }
      ByteBuffer words =
          request(request.command(), flags, handle, request.offset(), request.length());
      if (payload == null) {
        socket.write(words);
      } else {
        socket.write(words, payload);
      }
    } catch (IOException e) {
      // After half a request the server would misread all later requests.
      lose(e);
      if (inFlight.remove(handle) != null) {
        throw e;
      }
    } finally {
      sending.unlock();
    }
  }

  private ByteBuffer request(int command, int flags, long handle, long offset, long length) {
    head.clear().putInt(NbdProtocol.REQUEST_MAGIC).putShort((short) flags);
    head.putShort((short) command).putLong(handle).putLong(offset).putInt((int) length);
    return head.flip();
  }

  private void await(NbdRequest request) {
    long end = System.nanoTime() + REQUEST_DEADLINE.toNanos();
    boolean interrupted = false;
    boolean answered = false;
    while (!answered) {
      try {
        answered = request.await(Math.max(0, end - System.nanoTime()));
        if (!answered) {
          lose(new IOException(socket.path() + ": no answer within " + REQUEST_DEADLINE));
          end += REQUEST_DEADLINE.toNanos(); // The reader is on its way out, and ends the request.
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void readReplies(List<String> contexts) {
    try {
      NbdExport export = NbdHandshake.run(socket, contexts);
      handshake.complete(export);
      NbdReplies replies = new NbdReplies(socket, export, inFlight::get, inFlight::remove);
      while (true) {
        replies.readOne();
      }
    } catch (IOException | RuntimeException | Error e) {
      lose(e instanceof IOException io ? io : new IOException(socket.path() + ": bad reply", e));
    } finally {
      handshake.completeExceptionally(new IOException(socket.path() + ": closed", lost));
      failAll();
    }
  }

  /**
   * Keeps the first reason. Closing the socket ends the reader, and the reader ends the requests.
   */
  private void lose(IOException why) {
    synchronized (this) {
      lost = lost == null ? why : lost;
    }
    try {
      socket.close();
    } catch (IOException e) {
      why.addSuppressed(e);
    }
    if (!reader.isAlive()) {
      failAll();
    }
  }

  private void failAll() {
    IOException why = lost == null ? new IOException(socket.path() + ": closed") : lost;
    for (Long handle : List.copyOf(inFlight.keySet())) {
      NbdRequest request = inFlight.remove(handle);
      if (request != null) {
        request.fail(why);
      }
    }
  }
}
