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
 * Slots in memory, as one host sees them. It keeps the contract of {@link SlotStore}, and on demand
 * does what storage does on bad days: each fault is ordered beforehand and strikes once.
 */
public final class MemorySlotStore implements SlotStore {
  /** What becomes of a put. */
  public enum PutFault {
    NONE,
    /** Fails before the name is touched. */
    BEFORE_LINK,
    /** The name is taken, the caller learns nothing. */
    LOST_REPLY,
    /** The name is taken, and the caller is told that it was taken already. */
    SENT_TWICE,
    /** The caller learns nothing, and the name is taken when {@link #landDelayed} is called. */
    DELAYED_LINK
  }

  private final MemoryDisk disk;
  private final Consumer<String> beforeEachStep;
  private final Queue<PutFault> putFaults = new ArrayDeque<>();
  private final List<Runnable> delayed = new ArrayList<>();
  private final List<String> forced = new ArrayList<>();
  private int readFaults;
  private boolean spoilCheckpoint;
  private @Nullable List<String> staleNames;
  private @Nullable String overlooked;

  public MemorySlotStore(MemoryDisk disk) {
    this(disk, step -> {});
  }

  /**
   * @param beforeEachStep is called before anything that others could see or that looks at others;
   *     may block for as long as it likes
   */
  public MemorySlotStore(MemoryDisk disk, Consumer<String> beforeEachStep) {
    this.disk = disk;
    this.beforeEachStep = beforeEachStep;
  }

  /** The fates of the next puts, in order. */
  public synchronized void nextPuts(PutFault... faults) {
    putFaults.addAll(List.of(faults));
  }

  /** That many of the next reads fail. */
  public synchronized void failReads(int count) {
    readFaults = count;
  }

  /** The next checkpoint is not stored as it was given. */
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

  /** Until it puts something itself, this host sees the directory as it is now: NFS does that. */
  public synchronized void freezeListing() {
    staleNames = disk.names();
  }

  public synchronized void thawListing() {
    staleNames = null;
  }

  /** The next listing misses a name: it came to be while the directory was read. */
  public synchronized void overlookOnce(String name) {
    overlooked = name;
  }

  /** What was delayed happens now, if the names are free. */
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
  public synchronized void force(List<String> names) {
    forced.addAll(names);
  }

  /** What was forced after it was put, by whomever. */
  synchronized List<String> forced() {
    return List.copyOf(forced);
  }

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
