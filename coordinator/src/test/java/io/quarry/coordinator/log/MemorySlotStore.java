package io.quarry.coordinator.log;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Slots in memory, as one host sees them. The store keeps the contract of {@link SlotStore}, and
 * has faults on demand: a test orders each fault beforehand, and the fault strikes once.
 */
public final class MemorySlotStore implements SlotStore {
  /** The fault of a put. */
  public enum PutFault {
    NONE,
    /** Fails before the name is touched. */
    BEFORE_LINK,
    /** The name is taken, but the caller gets no reply. */
    LOST_REPLY,
    /** The name is taken, and the reply says that it was taken before. */
    SENT_TWICE,
    /** The caller gets no reply, and the name is taken when {@link #landDelayed} is called. */
    DELAYED_LINK
  }

  private final MemoryDisk disk;
  private final Consumer<String> beforeEachStep;
  private final Queue<PutFault> putFaults = new ArrayDeque<>();
  private final List<Runnable> delayed = new ArrayList<>();
  private int readFaults;
  private boolean spoilCheckpoint;
  private @Nullable List<String> staleNames;
  private @Nullable String overlooked;

  public MemorySlotStore(MemoryDisk disk) {
    this(disk, step -> {});
  }

  /**
   * @param beforeEachStep runs before each operation that other hosts could see or that reads their
   *     work; may block for any time
   */
  public MemorySlotStore(MemoryDisk disk, Consumer<String> beforeEachStep) {
    this.disk = disk;
    this.beforeEachStep = beforeEachStep;
  }

  /** The faults of the next puts, in order. */
  public synchronized void nextPuts(PutFault... faults) {
    putFaults.addAll(List.of(faults));
  }

  /** That many of the next reads fail. */
  public synchronized void failReads(int count) {
    readFaults = count;
  }

  /** The next checkpoint is stored damaged. */
  public synchronized void spoilNextCheckpoint() {
    spoilCheckpoint = true;
  }

  private synchronized byte[] asStored(String name, byte[] content) {
    byte[] stored = content.clone();
    if (spoilCheckpoint && Names.checkpointNumber(name) != Names.NONE) {
      spoilCheckpoint = false;
      stored[stored.length / 2] ^= 1;
    }
    return stored;
  }

  /** Until its next own put, this host sees the present directory: NFS does that. */
  public synchronized void freezeListing() {
    staleNames = disk.names();
  }

  public synchronized void thawListing() {
    staleNames = null;
  }

  /** The next listing misses a name that appeared while the directory was read. */
  public synchronized void overlookOnce(String name) {
    overlooked = name;
  }

  /** Carries out the delayed puts, if their names are free. */
  public synchronized void landDelayed() {
    delayed.forEach(Runnable::run);
    delayed.clear();
  }

  @Override
  public Put putIfAbsent(String name, Content whole) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    whole.writeTo(bytes);
    byte[] content = bytes.toByteArray();
    beforeEachStep.accept("put " + name);
    PutFault fault = nextPut();
    if (fault == PutFault.BEFORE_LINK) {
      throw new PutNotStartedException(new IOException("Input/output error"), false);
    }
    if (!disk.take(content.length)) {
      throw new PutNotStartedException(new IOException("No space left on device"), true);
    }
    if (fault == PutFault.DELAYED_LINK) {
      byte[] sent = asStored(name, content);
      delay(() -> disk.link(name, sent));
      throw new IOException("timed out");
    }
    thawListing();
    boolean created = disk.link(name, asStored(name, content));
    if (!created) {
      disk.take(-content.length);
    }
    if (fault == PutFault.LOST_REPLY) {
      throw new IOException("timed out");
    }
    return created && fault != PutFault.SENT_TWICE ? Put.CREATED : Put.EXISTS;
  }

  private synchronized void delay(Runnable link) {
    delayed.add(link);
  }

  private synchronized PutFault nextPut() {
    PutFault fault = putFaults.poll();
    return fault == null ? PutFault.NONE : fault;
  }

  @Override
  public byte @Nullable [] read(String name) throws IOException {
    beforeEachStep.accept("read " + name);
    failRead();
    return disk.read(name);
  }

  @Override
  public @Nullable InputStream open(String name) throws IOException {
    byte[] whole = read(name);
    return whole == null ? null : new ByteArrayInputStream(whole);
  }

  @Override
  public byte @Nullable [] readStart(String name, int bytes) throws IOException {
    byte[] whole = read(name);
    return whole == null ? null : Arrays.copyOf(whole, Math.min(bytes, whole.length));
  }

  @Override
  public List<String> list() throws IOException {
    beforeEachStep.accept("list");
    failRead();
    synchronized (this) {
      List<String> names = staleNames == null ? disk.names() : new ArrayList<>(staleNames);
      names.remove(overlooked);
      overlooked = null;
      return names;
    }
  }

  private synchronized void failRead() throws IOException {
    if (readFaults > 0) {
      readFaults--;
      throw new IOException("Input/output error");
    }
  }

  @Override
  public void delete(List<String> names) {
    for (String name : names) {
      beforeEachStep.accept("delete " + name);
      disk.delete(name);
    }
  }

  @Override
  public void force(List<String> names) {}

  @Override
  public void writeHead(long sequence) {
    beforeEachStep.accept("head " + sequence);
    disk.writeHead(sequence);
  }

  @Override
  public OptionalLong readHead() {
    beforeEachStep.accept("head");
    return disk.head();
  }

  @Override
  public boolean releaseBallast(Reserve reserve) {
    return disk.releaseBallast(reserve);
  }

  @Override
  public boolean restoreBallast() {
    return disk.restoreBallast();
  }

  @Override
  public String describe(String name) {
    return "memory/" + name;
  }
}
