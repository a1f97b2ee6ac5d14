package io.quarry.agent.storage.block;

import io.quarry.coordinator.sim.Baton;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * A device that several hosts share, and what goes wrong with it: writes are torn at sectors when
 * their host dies, get no answer, land late or never, and are lost in a power cut if they were not
 * forced.
 */
final class SimDevice {
  private static final int SECTOR = 512;

  private final Map<Long, byte[]> blocks = new HashMap<>();

  /** What a power cut takes back: the block before the writes that were not forced. */
  private final Map<Long, byte[]> durable = new HashMap<>();

  private final Random random;
  private final int readsAtOnce;
  private final int lateFor;
  private int forces;

  SimDevice(Random random) {
    this(random, 1, Integer.MAX_VALUE);
  }

  /**
   * @param readsAtOnce how many reads of a few blocks a host does in a row, on average, before
   *     other hosts go on
   * @param lateFor how many later writes of its host a late write lands after, at most
   */
  SimDevice(Random random, int readsAtOnce, int lateFor) {
    this.random = random;
    this.readsAtOnce = readsAtOnce;
    this.lateFor = lateFor;
  }

  /** The fault of a write. */
  enum WriteFault {
    NONE,
    /** Fails, and leaves any sectors of its bytes. */
    TORN,
    /** Fails, and lands later. */
    LATE,
    /** Lands, and fails. */
    LOST_REPLY,
    /** Lands, and fails before it is forced. */
    UNFORCED
  }

  private byte[] block(long number) {
    return blocks.computeIfAbsent(number, n -> new byte[Layout.BLOCK]);
  }

  private void put(long offset, byte[] from, boolean forced) {
    forces += forced ? 1 : 0;
    for (int i = 0; i < from.length; i += Layout.BLOCK) {
      long number = (offset + i) / Layout.BLOCK;
      if (forced) {
        durable.remove(number);
      } else {
        durable.putIfAbsent(number, block(number).clone());
      }
      blocks.put(number, Arrays.copyOfRange(from, i, i + Layout.BLOCK));
    }
  }

  /** Any of the sectors, and not in order. */
  private void putSome(long offset, byte[] from) {
    byte[] mixed = get(offset, from.length);
    for (int at = 0; at < from.length; at += SECTOR) {
      if (random.nextBoolean()) {
        System.arraycopy(from, at, mixed, at, SECTOR);
      }
    }
    put(offset, mixed, true);
  }

  byte[] get(long offset, int length) {
    byte[] into = new byte[length];
    get(offset, into, 0, length);
    return into;
  }

  private void get(long offset, byte[] into, int at, int length) {
    for (int i = 0; i < length; i += Layout.BLOCK) {
      byte[] block = blocks.get((offset + i) / Layout.BLOCK);
      if (block == null) {
        Arrays.fill(into, at + i, at + i + Layout.BLOCK, (byte) 0);
      } else {
        System.arraycopy(block, 0, into, at + i, Layout.BLOCK);
      }
    }
  }

  /** Changes bytes, unseen by all hosts. */
  void overwrite(long offset, byte[] bytes) {
    put(offset, bytes, true);
  }

  /** Each block that was not forced is as before, or as written. */
  void powerCut() {
    durable.forEach((number, before) -> {
      if (random.nextBoolean()) {
        blocks.put(number, before);
      }
    });
    durable.clear();
  }

  /** How often data was made durable. */
  int forces() {
    return forces;
  }

  /** The device as one host sees it. */
  Host host(Consumer<String> beforeEachStep) {
    return new Host(beforeEachStep);
  }

  final class Host implements BlockDevice {
    private final Consumer<String> beforeEachStep;
    private final List<WriteFault> faults = new ArrayList<>();
    private final List<Runnable> late = new ArrayList<>();

    /** What becomes of the writes that have begun when their process ends. */
    private final List<Runnable> begun = new ArrayList<>();

    private int readFaults;
    private int writesSinceLate;
    private long size = Layout.DEVICE_BYTES_MIN;

    private Host(Consumer<String> beforeEachStep) {
      this.beforeEachStep = beforeEachStep;
    }

    void nextWrites(WriteFault... next) {
      faults.addAll(List.of(next));
    }

    void failReads(int count) {
      readFaults = count;
    }

    void landLate() {
      late.forEach(Runnable::run);
      late.clear();
    }

    void loseLate() {
      late.clear();
    }

    void shrink(long newSize) {
      size = newSize;
    }

    /** The process is over, and has no direct I/O under way. */
    void end() {
      landLate();
      cut();
    }

    /** The host is without power. */
    void cut() {
      late.clear();
      begun.forEach(Runnable::run);
      begun.clear();
    }

    @Override
    public long size() {
      return size;
    }

    /** Many blocks are not read at one moment. */
    @Override
    public void read(long offset, byte[] into) throws IOException {
      int part = 2 * Layout.BLOCK;
      for (int at = 0; at < into.length; at += part) {
        if (readsAtOnce == 1 || random.nextInt(readsAtOnce) == 0) {
          beforeEachStep.accept("read " + (offset + at));
        }
        if (readFaults > 0) {
          readFaults--;
          throw new IOException("Input/output error");
        }
        get(offset + at, into, at, Math.min(part, into.length - at));
      }
    }

    @Override
    public void write(long offset, byte[] from) throws IOException {
      write(offset, from.clone(), true);
    }

    @Override
    public void writeUnforced(long offset, byte[] from) throws IOException {
      write(offset, from.clone(), false);
    }

    private void write(long offset, byte[] from, boolean forced) throws IOException {
      Runnable cutShort =
          () -> {
            if (random.nextBoolean()) {
              putSome(offset, from);
            }
          };
      begun.add(cutShort);
      try {
        beforeEachStep.accept("write " + offset);
      } catch (Baton.Died e) {
        if (begun.remove(cutShort)) {
          cutShort.run();
        }
        throw e;
      }
      begun.remove(cutShort);
      if (++writesSinceLate > lateFor) {
        landLate();
      }
      switch (faults.isEmpty() ? WriteFault.NONE : faults.removeFirst()) {
        case NONE -> put(offset, from, forced);
        case TORN -> {
          putSome(offset, from);
          throw new IOException("Input/output error");
        }
        case LATE -> {
          late.add(() -> put(offset, from, forced));
          writesSinceLate = 0;
          throw new IOException("timed out");
        }
        case LOST_REPLY -> {
          put(offset, from, forced);
          throw new IOException("timed out");
        }
        case UNFORCED -> {
          put(offset, from, false);
          throw new IOException("timed out");
        }
      }
    }

    @Override
    public void force() {
      beforeEachStep.accept("force");
      durable.clear();
      forces++;
    }

    @Override
    public String name() {
      return "device";
    }

    @Override
    public void close() {}
  }
}
