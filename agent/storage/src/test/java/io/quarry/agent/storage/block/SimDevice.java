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

  SimDevice(Random random) {
    this.random = random;
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
    for (int i = 0; i < length; i += Layout.BLOCK) {
      byte[] block = blocks.get((offset + i) / Layout.BLOCK);
      if (block != null) {
        System.arraycopy(block, 0, into, i, Layout.BLOCK);
      }
    }
    return into;
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

  /** The device as one host sees it. */
  Host host(Consumer<String> beforeEachStep) {
    return new Host(beforeEachStep);
  }

  final class Host implements BlockDevice {
    private final Consumer<String> beforeEachStep;
    private final List<WriteFault> faults = new ArrayList<>();
    private final List<Runnable> late = new ArrayList<>();
    private int readFaults;
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

    @Override
    public long size() {
      return size;
    }

    /** Many blocks are not read at one moment. */
    @Override
    public void read(long offset, byte[] into) throws IOException {
      int part = 2 * Layout.BLOCK;
      for (int at = 0; at < into.length; at += part) {
        beforeEachStep.accept("read " + (offset + at));
        if (readFaults > 0) {
          readFaults--;
          throw new IOException("Input/output error");
        }
        int length = Math.min(part, into.length - at);
        System.arraycopy(get(offset + at, length), 0, into, at, length);
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
      try {
        beforeEachStep.accept("write " + offset);
      } catch (Baton.Died e) {
        if (random.nextBoolean()) {
          putSome(offset, from);
        }
        throw e;
      }
      switch (faults.isEmpty() ? WriteFault.NONE : faults.removeFirst()) {
        case NONE -> put(offset, from, forced);
        case TORN -> {
          putSome(offset, from);
          throw new IOException("Input/output error");
        }
        case LATE -> {
          late.add(() -> put(offset, from, forced));
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
    }

    @Override
    public String name() {
      return "device";
    }

    @Override
    public void close() {}
  }
}
