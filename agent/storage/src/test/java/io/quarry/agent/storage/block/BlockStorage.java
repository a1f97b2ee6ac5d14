package io.quarry.agent.storage.block;

import io.quarry.agent.storage.block.SimDevice.WriteFault;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.HostileStorage;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.Names;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.sim.Life;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The real store over a simulated device. All its processes must decide alike. */
public final class BlockStorage implements HostileStorage {
  static final Key KEY = new Key("0".repeat(31) + "1");

  private static final int SLOTS = 8;
  private static final int READS_AT_ONCE = 6;
  private static final int LATE_FOR = 8;

  private final Layout layout;
  private final Random random;
  private final SimDevice device;
  private BlockSlotStore calm;
  private int lives;
  private final BiConsumer<String, byte[]> onDecided;
  private final Map<Long, String> decided = new HashMap<>();
  private final Map<String, BlockHost> hosts = new HashMap<>();
  private final Map<String, TestSlot> slots = new HashMap<>();

  BlockStorage(Random random, long ringBytes, BiConsumer<String, byte[]> onDecided)
      throws IOException {
    this(new SimDevice(random), random, ringBytes, onDecided);
  }

  /**
   * For hosts with many threads: they read fast, and no late write lands when its place in a ring
   * is used again.
   *
   * @param onDecided gets each record when a first process knows it
   */
  public static BlockStorage ofThreads(
      Random random, long ringBytes, BiConsumer<String, byte[]> onDecided) throws IOException {
    SimDevice device = new SimDevice(random, READS_AT_ONCE, LATE_FOR);
    return new BlockStorage(device, random, ringBytes, onDecided);
  }

  private BlockStorage(
      SimDevice device, Random random, long ringBytes, BiConsumer<String, byte[]> onDecided)
      throws IOException {
    this.layout = Layout.ofRing(ringBytes);
    this.random = random;
    this.device = device;
    this.onDecided = onDecided;
    this.calm = store("calm", device.host(step -> {}), turn -> {});
    CommitLog.create(calm);
  }

  /** The first process that knows a record tells the truth; the others have to agree. */
  private void heard(Frame frame) {
    String before = decided.putIfAbsent(frame.sequence(), frame.hash());
    if (before == null) {
      onDecided.accept(Names.record(frame.sequence()), content(frame));
    } else if (!before.equals(frame.hash())) {
      throw new AssertionError("two records " + frame.sequence() + ": " + before + ", " + frame);
    }
  }

  private byte[] content(Frame frame) {
    try {
      byte[] record = frame.record(device.host(step -> {}), layout);
      if (record == null) {
        throw new AssertionError(frame + " is decided, and not there");
      }
      return record;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private BlockSlotStore store(String name, BlockDevice host, Leader.Pause pause) {
    TestSlot slot = slots.computeIfAbsent(name, n -> new TestSlot(slots.size()));
    return new BlockSlotStore(host, layout, KEY, slot, SLOTS, pause, this::heard);
  }

  /** How often a host has made data durable. */
  public int forces() {
    return device.forces();
  }

  @Override
  public Host host(String name, Consumer<String> beforeEachStep) {
    BlockHost host =
        new BlockHost(
            name,
            beforeEachStep,
            own -> (proxy, method, arguments) -> follow(own, beforeEachStep, method, arguments));
    hosts.put(name, host);
    return host;
  }

  /** The next life of a host with many threads; its life before has ended. */
  public Host host(String name, Consumer<String> beforeEachStep, Life life) {
    BlockHost before = hosts.get(name);
    if (before != null) {
      before.seen.end();
    }
    StoreTurns turns = new StoreTurns(beforeEachStep, life);
    BlockHost host = new BlockHost(name, turns::step, turns::of);
    hosts.put(name, host);
    return host;
  }

  /** Another thread of the host follows the log with the same store, at any time. */
  private @Nullable Object follow(
      BlockSlotStore own,
      Consumer<String> beforeEachStep,
      Method method,
      Object @Nullable [] arguments)
      throws Throwable {
    if (method.getName().equals("putIfAbsent") && random.nextInt(4) == 0) {
      try {
        own.readHead();
        own.list();
      } catch (IOException e) {
        beforeEachStep.accept("cannot follow");
      }
    }
    try {
      return method.invoke(own, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  /** Another host, which leads for a moment: only a leader knows whether the last frame counts. */
  @Override
  public SlotStore calm() throws IOException {
    // A new reader can read the log before any other host leads.
    new LogReader(store("fresh" + lives++, device.host(step -> {}), turn -> {})).load();
    try {
      settle();
    } catch (OwnRing.NoRoomException e) {
      calm = store("calm" + slots.size(), device.host(step -> {}), turn -> {});
      settle();
    }
    return calm;
  }

  private void settle() throws IOException {
    for (int turn = 0; !calm.settle(); turn++) {
      if (turn == 10) {
        throw new AssertionError("no host can lead any more");
      }
    }
  }

  /** A record's frame without its padding, or a checkpoint as it is compressed. */
  @Override
  public byte[] stored(String name) throws IOException {
    Place place = places(name).getFirst();
    byte[] padded = device.get(place.offset(), Math.toIntExact(Layout.padded(place.bytes())));
    return Arrays.copyOf(padded, Math.toIntExact(place.bytes()));
  }

  @Override
  public void overwrite(String name, byte[] stored) throws IOException {
    for (Place place : places(name)) {
      int length = Math.toIntExact(Layout.padded(place.bytes()));
      device.overwrite(place.offset(), Arrays.copyOf(stored, length));
    }
  }

  private record Place(long offset, long bytes) {}

  /** Where the device has a record or a checkpoint; several hosts may have written it. */
  private List<Place> places(String name) throws IOException {
    SimDevice.Host host = device.host(step -> {});
    Cells cells = new CellReader(host, layout, KEY, () -> SLOTS).read();
    List<Place> places = new ArrayList<>();
    for (Cells.Named named : cells.checkpoints()) {
      if (named.area().sequence() == Names.checkpointNumber(name)) {
        long offset = layout.area(named.slot(), named.area().area());
        places.add(new Place(offset, named.area().bytes()));
      }
    }
    new Rings(host, layout, KEY)
        .readOn(
            cells,
            true,
            frame -> {
              if (frame.sequence() == Names.recordNumber(name)) {
                long offset = layout.ring(frame.slot(), frame.position());
                places.add(new Place(offset, Frame.HEADER + frame.length()));
              }
            });
    return places;
  }

  @Override
  public void powerCut(Random random) {
    hosts.values().forEach(host -> host.seen.cut());
    device.powerCut();
  }

  private final class BlockHost implements Host {
    private final String name;
    private final Consumer<String> beforeEachStep;
    private final Function<BlockSlotStore, InvocationHandler> threads;
    private SimDevice.Host seen;
    private SlotStore store;

    BlockHost(
        String name,
        Consumer<String> beforeEachStep,
        Function<BlockSlotStore, InvocationHandler> threads) {
      this.name = name;
      this.beforeEachStep = beforeEachStep;
      this.threads = threads;
      this.seen = device.host(beforeEachStep);
      this.store = newStore();
    }

    private SlotStore newStore() {
      BlockSlotStore own =
          BlockStorage.this.store(name, seen, turn -> beforeEachStep.accept("backs off"));
      return (SlotStore)
          Proxy.newProxyInstance(
              SlotStore.class.getClassLoader(),
              new Class<?>[] {SlotStore.class},
              threads.apply(own));
    }

    @Override
    public void beginLife() {
      seen.end();
      seen = device.host(beforeEachStep);
      store = newStore();
    }

    @Override
    public SlotStore store() {
      return store;
    }

    @Override
    public void nextWrites(Fault... faults) {
      for (Fault fault : faults) {
        seen.nextWrites(
            switch (fault) {
              case NONE, SENT_TWICE -> WriteFault.NONE;
              case LOST_REPLY -> WriteFault.LOST_REPLY;
              case LATE -> WriteFault.LATE;
            });
      }
    }

    @Override
    public void failReads(int count) {
      seen.failReads(count);
    }

    @Override
    public void disturb(Random random) {
      switch (random.nextInt(16)) {
        case 0 -> seen.nextWrites(WriteFault.LOST_REPLY);
        case 1 -> seen.nextWrites(WriteFault.LATE);
        case 2 -> seen.nextWrites(WriteFault.TORN);
        case 3 -> seen.nextWrites(WriteFault.LATE, WriteFault.LOST_REPLY);
        case 4 -> seen.failReads(1);
        case 5 -> seen.nextWrites(WriteFault.NONE, WriteFault.LATE);
        case 6 -> seen.landLate();
        case 7 -> seen.nextWrites(WriteFault.NONE, WriteFault.NONE, WriteFault.LATE);
        case 8 -> seen.nextWrites(WriteFault.NONE, WriteFault.LOST_REPLY);
        default -> {}
      }
    }

    /** A checkpoint is read back before the cell names it, so no reader meets a damaged one. */
    @Override
    public void spoilNextCheckpoint() {}

    @Override
    public void landDelayed() {
      seen.landLate();
    }
  }
}
