package io.quarry.agent.storage.block;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.Names;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.log.SlotStore.Put;
import java.io.IOException;
import java.util.Random;

/** Hosts that put short records on one device, for tests of one fault at a time. */
abstract class BlockHosts {
  static final Layout LAYOUT = Layout.ofRing(4 << 20);
  static final int SLOTS = 8;

  final SimDevice device = new SimDevice(new Random(1));
  final TestSlot slot = new TestSlot(1);

  SimDevice.Host host() {
    return device.host(step -> {});
  }

  static BlockSlotStore store(TestSlot slot, BlockDevice seen) {
    return store(slot, seen, LAYOUT);
  }

  static BlockSlotStore store(TestSlot slot, BlockDevice seen, Layout layout) {
    return new BlockSlotStore(seen, layout, BlockStorage.KEY, slot, SLOTS, turn -> {}, frame -> {});
  }

  BlockSlotStore another(int number) {
    return store(new TestSlot(number), host());
  }

  static Put put(SlotStore store, long sequence) throws IOException {
    return store.putIfAbsent(Names.record(sequence), text(sequence));
  }

  static void put(SlotStore store, long first, long last) throws IOException {
    for (long sequence = first; sequence <= last; sequence++) {
      assertThat(put(store, sequence)).isEqualTo(Put.CREATED);
    }
  }

  static void checkpoint(SlotStore store, long... sequences) throws IOException {
    for (long sequence : sequences) {
      store.putIfAbsent(Names.checkpoint(sequence), new byte[10]);
    }
  }

  static byte[] text(long sequence) {
    return ("record " + sequence).getBytes(UTF_8);
  }

  static void assertReads(SlotStore store, long first, long last) throws IOException {
    for (long sequence = first; sequence <= last; sequence++) {
      assertThat(store.read(Names.record(sequence))).as("%d", sequence).isEqualTo(text(sequence));
    }
  }
}
