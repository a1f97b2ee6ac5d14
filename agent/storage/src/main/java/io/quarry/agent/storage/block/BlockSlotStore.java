package io.quarry.agent.storage.block;

import io.quarry.agent.storage.block.Cell.Area;
import io.quarry.agent.storage.block.HeadNotes.Note;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.Names;
import io.quarry.coordinator.log.PutNotStartedException;
import io.quarry.coordinator.log.SlotStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Records and checkpoints on a device that many hosts share. Each host writes only what is its own,
 * so plain reads and writes are enough. A record is decided by the ballots of {@link Leader}.
 * Numbers are put in order, and a number never becomes free again: the two newest checkpoints say
 * which records are needed.
 */
public final class BlockSlotStore implements SlotStore, AutoCloseable {
  /** A put that other hosts overtake this often has an unknown outcome. */
  private static final int TURNS = 40;

  /** What was read at different moments may not fit together at once. */
  private static final int GAP_LOOKS = 5;

  /** A commit also looks at the record before it. */
  private static final int RECENT_RECORDS = 2;

  private final Machine machine;
  private final HostSlot host;
  private final int slots;
  private final Leader.Pause pause;
  private final CheckpointAreas areas;
  private final Object checkpointing = new Object();
  private final Set<Integer> spentAreas = new HashSet<>();
  private final Splitters splitters;
  private @Nullable Leader leader;
  private @Nullable Note noted;

  /** The records that were written or read last, by their frames. */
  private final SequencedMap<Frame, byte[]> recent = new LinkedHashMap<>();

  /**
   * @param key of the device: blocks with another key are void
   * @param slots how many slots hosts may have; the same for all hosts
   */
  BlockSlotStore(
      BlockDevice device,
      Layout layout,
      Key key,
      HostSlot host,
      int slots,
      Leader.Pause pause,
      Records.Listener listener) {
    this.host = host;
    this.slots = slots;
    this.pause = pause;
    this.areas = new CheckpointAreas(device, layout);
    this.splitters = new Splitters(device, layout, key);
    this.machine =
        new Machine(
            device,
            layout,
            key,
            new CellReader(device, layout, key, () -> slots),
            new Rings(device, layout, key),
            new Records(listener),
            new HeadNotes(device, layout, key, () -> slots));
  }

  @Override
  public Put putIfAbsent(String name, Content content) throws IOException {
    long sequence = Names.recordNumber(name);
    if (sequence != Names.NONE) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      content.writeTo(bytes);
      return putRecord(sequence, bytes.toByteArray());
    }
    long checkpoint = Names.checkpointNumber(name);
    if (checkpoint == Names.NONE) {
      throw notStarted(new IOException(name + " is the name of no record and no checkpoint"));
    }
    return putCheckpoint(checkpoint, content);
  }

  private Put putRecord(long sequence, byte[] record) throws IOException {
    if (Frame.bytes(record.length) > machine.layout().frameBytesMax()) {
      throw notStarted(new IOException("a record of " + record.length + " bytes is too long"));
    }
    PutAttempt attempt = new PutAttempt(sequence, record);
    for (int turn = 1; turn <= TURNS; turn++) {
      Put put = attempt.tryOnce();
      if (put != null) {
        return put;
      }
      // Other threads of this host may use the store meanwhile.
      pause.take(turn);
    }
    IOException others =
        new IOException(machine.device().name() + ": other hosts keep taking the lead");
    throw attempt.written ? others : notStarted(others);
  }

  /** One put, which may need several turns of the lead. */
  private final class PutAttempt {
    private final long sequence;
    private final byte[] record;
    private final String hash;

    /** Whether a frame with this record may be there. */
    private boolean written;

    PutAttempt(long sequence, byte[] record) {
      this.sequence = sequence;
      this.record = record;
      this.hash = Hashes.of(record, 0, record.length);
    }

    /** Null when another host may be leading. */
    @Nullable Put tryOnce() throws IOException {
      synchronized (BlockSlotStore.this) {
        Leader mine;
        try {
          mine = leader();
          if (mine.ballot() == 0 && !mine.lead()) {
            return null;
          }
        } catch (IOException e) {
          throw written ? e : notStarted(e);
        }
        long last = machine.records().last();
        if (sequence <= last) {
          return written ? outcome(sequence, hash) : Put.EXISTS;
        }
        if (sequence > last + 1) {
          throw notStarted(new IOException(describe(Names.record(last + 1)) + " is not there"));
        }
        return put(mine);
      }
    }

    private @Nullable Put put(Leader mine) throws IOException {
      boolean before = written;
      written = true;
      try {
        if (!mine.put(record, hash)) {
          return null;
        }
      } catch (OwnRing.NoRoomException e) {
        written = before;
        throw before ? e : notStarted(e);
      }
      remember(machine.records().decided(sequence), record);
      return Put.CREATED;
    }
  }

  /** The outcome of a frame that another leader may have found. */
  private Put outcome(long sequence, String hash) throws IOException {
    String decided = machine.records().hashOf(sequence);
    if (decided == null) {
      throw new IOException(describe(Names.record(sequence)) + " is covered by checkpoints");
    }
    return decided.equals(hash) ? Put.CREATED : Put.EXISTS;
  }

  /** Finds out about the newest frame, which only a leader can. */
  synchronized boolean settle() throws IOException {
    return leader().lead();
  }

  private static PutNotStartedException notStarted(IOException e) {
    return new PutNotStartedException(e, false);
  }

  /** This host's slot; the first put of a host wins one. */
  private Leader leader() throws IOException {
    Leader mine = leader;
    if (mine == null) {
      OwnCell own = new OwnCell(machine.device(), machine.layout(), machine.key(), ownCell());
      mine = new Leader(machine, own);
      leader = mine;
    }
    return mine;
  }

  private Cell ownCell() throws IOException {
    Key self = new Key(host.key());
    OptionalInt kept = host.slot();
    int slot;
    if (kept.isPresent()) {
      slot = kept.getAsInt();
    } else {
      // A slot that cannot be kept now is won again.
      slot = splitters.win(self, slots);
      host.keep(slot);
    }
    Cell cell = machine.cells().read(slot);
    if (cell == null) {
      return Cell.first(slot, self);
    }
    if (!cell.host().equals(self)) {
      throw new IOException(
          machine.device().name() + ": slot " + slot + " belongs to another host now");
    }
    return cell;
  }

  private Put putCheckpoint(long sequence, Content content) throws IOException {
    synchronized (checkpointing) {
      int area;
      String hash;
      OwnCell own;
      synchronized (this) {
        Cells cells = refresh();
        List<Long> there = sequences(cells);
        hash = machine.records().hashOf(sequence);
        if (there.contains(sequence) || sequence < machine.records().floor()) {
          return Put.EXISTS;
        }
        if (hash == null) {
          throw notStarted(new IOException(describe(Names.record(sequence)) + " is not there"));
        }
        own = slot().cell();
        own.look();
        area = freeArea(own.get(), there);
      }
      Area written = write(own, area, sequence, hash, content);
      synchronized (this) {
        // A cell that names the area may land later.
        spentAreas.add(area);
        own.write(cell -> cell.with(written));
        spentAreas.remove(area);
      }
      return Put.CREATED;
    }
  }

  private Area write(OwnCell own, int area, long sequence, String hash, Content content)
      throws IOException {
    try {
      return areas.write(own.slot(), area, sequence, hash, content);
    } catch (CheckpointAreas.SpentException e) {
      synchronized (this) {
        spentAreas.add(area);
      }
      throw e;
    }
  }

  private Leader slot() throws IOException {
    try {
      return leader();
    } catch (IOException e) {
      throw notStarted(e);
    }
  }

  /** Each of the two newest checkpoints stays whole until a newer one has been read back. */
  private int freeArea(Cell own, List<Long> newestFirst) throws IOException {
    List<Long> kept = newestFirst.subList(0, Math.min(2, newestFirst.size()));
    Set<Integer> used =
        own.checkpoints().stream()
            .filter(each -> kept.contains(each.sequence()))
            .map(Area::area)
            .collect(Collectors.toSet());
    used.addAll(spentAreas);
    for (int area = 0; area < Layout.AREAS; area++) {
      if (!used.contains(area)) {
        return area;
      }
    }
    throw new IOException(
        machine.device().name()
            + ", slot "
            + own.slot()
            + ": a write to an area for checkpoints got no answer; restart the agent on this host");
  }

  /** Numbers of the checkpoints that readers may use, the newest first. */
  private static List<Long> sequences(Cells cells) {
    Area floor = cells.floor();
    return cells.checkpoints().stream()
        .map(each -> each.area().sequence())
        .filter(sequence -> floor == null || sequence >= floor.sequence())
        .distinct()
        .toList();
  }

  /** Learns what other hosts have decided. */
  private Cells refresh() throws IOException {
    Records records = machine.records();
    Leader mine = leader;
    if (mine != null && mine.ballot() != 0) {
      Cells cells = machine.cells().read();
      if (cells.highestBallot() == mine.ballot()) {
        records.cover(cells);
        return cells;
      }
      mine.resign();
    }
    Cells cells = machine.readOn(false);
    for (int look = 1; look < GAP_LOOKS && machine.lacks(cells); look++) {
      cells = machine.readOn(true);
    }
    Frame next = machine.settle(cells);
    requireNoGap(next);
    while (next != null) {
      // No leader can have missed the frame, or one has acknowledged the record.
      Frame certain = cells.highestBallot() <= next.ballot() ? next : acknowledged();
      if (certain == null || !isDurable(certain)) {
        return cells;
      }
      records.decide(certain);
      next = records.settle();
    }
    return cells;
  }

  /** Its writer may not know yet; a power cut may have taken the frame back since it was read. */
  private boolean isDurable(Frame frame) throws IOException {
    machine.device().force();
    byte[] record = frame.record(machine.device(), machine.layout());
    if (record != null) {
      remember(frame, record);
    }
    return record != null;
  }

  private void requireNoGap(@Nullable Frame next) throws LogDamagedException {
    if (machine.records().hasGap(next)) {
      long missing = 1 + (next == null ? machine.records().last() : next.sequence());
      throw new LogDamagedException(
          describe(Names.record(missing)), "it is missing, though later records are there");
    }
  }

  private @Nullable Frame acknowledged() throws IOException {
    List<Note> notes = machine.notes().read();
    return machine.records().candidates().stream()
        .filter(frame -> notes.stream().anyMatch(note -> note.proves(frame)))
        .findFirst()
        .orElse(null);
  }

  @Override
  public synchronized byte @Nullable [] read(String name) throws IOException {
    long sequence = Names.recordNumber(name);
    if (sequence != Names.NONE) {
      return readRecord(sequence);
    }
    try (InputStream in = open(name)) {
      return in == null ? null : in.readAllBytes();
    }
  }

  private byte @Nullable [] readRecord(long sequence) throws IOException {
    Records records = machine.records();
    if (sequence > records.last()) {
      refresh();
    }
    Frame frame = records.decided(sequence);
    if (frame == null) {
      return null;
    }
    byte[] known = recent.get(frame);
    if (known != null) {
      return known.clone();
    }
    byte[] record = machine.record(frame);
    if (record != null) {
      remember(frame, record);
      return record.clone();
    }
    refresh();
    if (sequence < records.floor()) {
      return null;
    }
    throw new LogDamagedException(describe(Names.record(sequence)), "it has changed");
  }

  private void remember(@Nullable Frame frame, byte[] record) {
    if (frame != null) {
      recent.putLast(frame, record);
    }
    while (recent.size() > RECENT_RECORDS) {
      recent.pollFirstEntry();
    }
  }

  @Override
  public @Nullable InputStream open(String name) throws IOException {
    long sequence = Names.checkpointNumber(name);
    if (sequence == Names.NONE) {
      byte[] record = read(name);
      return record == null ? null : new ByteArrayInputStream(record);
    }
    Cells cells;
    synchronized (this) {
      cells = refresh();
    }
    if (!sequences(cells).contains(sequence)) {
      return null;
    }
    return cells.checkpoints().stream()
        .filter(each -> each.area().sequence() == sequence)
        .findFirst()
        .map(each -> areas.open(each.slot(), each.area(), describe(name)))
        .orElse(null);
  }

  @Override
  public synchronized byte @Nullable [] readStart(String name, int bytes) throws IOException {
    long sequence = Names.recordNumber(name);
    if (sequence != Names.NONE) {
      byte[] record = read(name);
      if (record == null) {
        requireFree(sequence);
      }
      return record == null ? null : Arrays.copyOf(record, Math.min(bytes, record.length));
    }
    try (InputStream in = open(name)) {
      return in == null ? null : in.readNBytes(bytes);
    }
  }

  /** A frame that may be a record, or not, takes the number for now. */
  private void requireFree(long sequence) throws IOException {
    Records records = machine.records();
    Leader mine = leader;
    if (sequence == records.last() + 1 && (mine == null || mine.ballot() == 0)) {
      requireNoGap(machine.settle(machine.readOn(true)));
    }
    if (sequence == records.last() + 1 && !records.candidates().isEmpty()) {
      throw new IOException(describe(Names.record(sequence)) + " waits for the next leader");
    }
    if (sequence <= records.last() && sequence >= records.floor()) {
      throw new LogDamagedException(
          describe(Names.record(sequence)), "it cannot be read, and a checkpoint covers it");
    }
  }

  @Override
  public synchronized List<String> list() throws IOException {
    Cells cells = refresh();
    List<String> names = new ArrayList<>();
    machine.records().numbers().forEach(sequence -> names.add(Names.record(sequence)));
    new TreeSet<>(sequences(cells)).forEach(sequence -> names.add(Names.checkpoint(sequence)));
    return names;
  }

  /** Checkpoints free what they cover, as soon as there are two; nothing more is to be done. */
  @Override
  public void delete(List<String> names) {}

  @Override
  public void force(List<String> names) throws IOException {
    machine.device().force();
  }

  @Override
  public synchronized void writeHead(long sequence) throws IOException {
    Frame frame = machine.records().decided(sequence);
    Note note = new Note(sequence, frame == null ? 0 : frame.ballot());
    noted = note;
    Leader mine = leader;
    if (mine != null) {
      machine.notes().write(mine.cell().slot(), note);
    }
  }

  @Override
  public synchronized OptionalLong readHead() throws IOException {
    Note own = noted;
    long others = machine.notes().read().stream().mapToLong(Note::sequence).max().orElse(-1);
    long newest = Math.max(others, own == null ? -1 : own.sequence());
    if (newest > machine.records().last()) {
      refresh();
      // The record is there, and only the next leader can tell: no record is lost.
      boolean waits = !machine.records().candidates().isEmpty();
      newest = waits ? Math.min(newest, machine.records().last()) : newest;
    }
    return newest < 0 ? OptionalLong.empty() : OptionalLong.of(newest);
  }

  @Override
  public synchronized boolean wantsCheckpoint() {
    Leader mine = leader;
    return mine != null && mine.ballot() != 0 && mine.ring().wantsCheckpoint();
  }

  /** Rings and areas have their space from the beginning on, so there is no reserve. */
  @Override
  public boolean releaseBallast(Reserve reserve) {
    return false;
  }

  @Override
  public boolean restoreBallast() {
    return true;
  }

  @Override
  public String describe(String name) {
    return machine.device().name() + ": " + name;
  }

  @Override
  public void close() {
    machine.device().close();
  }
}
