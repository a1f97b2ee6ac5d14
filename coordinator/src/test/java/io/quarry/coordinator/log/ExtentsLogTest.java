package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.plan.Allocation;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Epoch;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Mapping;
import io.quarry.coordinator.plan.Pool;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Run;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Extents, mappings and epochs in records and checkpoints. */
class ExtentsLogTest {
  private static final Change FEATURE = new Change.PutFeature(Feature.EXTENTS);
  private static final Change POOL = new Change.PutPool(new Pool(16 << 20, 100));
  private static final Change FILE =
      new Change.PutAllocation(new Allocation("v.1.qcow2", List.of(new Run(0, 4), new Run(50, 4))));
  private static final Change MAPPING =
      new Change.PutMapping(new Mapping("v.1.qcow2", "host1", new HostBoot("key", "boot"), 1));

  private static final Worker WORKER = new Worker("host1", "life1");

  private static LogState after(LogState before, Change... changes) throws IOException {
    long sequence = before.sequence() + 1;
    Entry entry =
        new Entry("r" + sequence, new Reply("growPool", "pool", sequence), List.of(changes));
    String previous = before.position().hash();
    LogRecord record =
        new LogRecord(sequence, previous, 1, "a", "nonce", Contender.NOW, List.of(entry));
    return Codec.follow(before, Codec.encode(record).bytes(), Names.record(sequence));
  }

  private static LogState reread(LogState state) throws IOException {
    ByteArrayOutputStream checkpoint = new ByteArrayOutputStream();
    CheckpointCodec.write(state, checkpoint);
    return CheckpointCodec.read(
        state.sequence(), new ByteArrayInputStream(checkpoint.toByteArray()), "checkpoint");
  }

  @Test
  void recordsAndCheckpointsHoldThem() throws Exception {
    LogState state = after(LogState.EMPTY, FEATURE, POOL, FILE, MAPPING);
    assertThat(state.repository().asChanges()).containsExactly(FEATURE, POOL, FILE, MAPPING);
    LogState read = reread(state);
    assertThat(read.repository().asChanges()).containsExactly(FEATURE, POOL, FILE, MAPPING);
    LogState dropped =
        after(
            read,
            new Change.DropMapping("v.1.qcow2", "host1"),
            new Change.DropAllocation("v.1.qcow2"));
    assertThat(dropped.repository().asChanges()).containsExactly(FEATURE, POOL);
    assertThat(dropped.repository().extents().freeExtents()).isEqualTo(100);
  }

  @Test
  void claimsAndCheckpointsOfFixesAreInBoth() throws Exception {
    Change first =
        new Change.PutEpoch(new Epoch("mend-v", 1, WORKER, "call1", Contender.NOW, "{\"at\":5}"));
    Change second =
        new Change.PutEpoch(new Epoch("mend-v", 2, WORKER, "call1", Contender.NOW, null));
    LogState state = after(LogState.EMPTY, FEATURE, first, second);
    LogState read = reread(state);
    assertThat(read.repository().asChanges()).containsExactly(FEATURE, first, second);
    assertThat(read.repository().bytes()).isEqualTo(state.repository().bytes());
    LogState forgotten = after(read, new Change.DropEpochs("mend-v", 2));
    assertThat(forgotten.repository().asChanges()).containsExactly(FEATURE);
    assertThat(forgotten.repository().bytes()).isZero();
  }

  @Test
  void recordThatGivesAnEpochTwiceIsDamage() throws Exception {
    LogState state =
        after(
            LogState.EMPTY,
            FEATURE,
            new Change.PutEpoch(new Epoch("mend-v", 1, WORKER, "call1", Contender.NOW, null)));
    Worker other = new Worker("host2", "life2");
    assertDamage(
        state, new Change.PutEpoch(new Epoch("mend-v", 1, other, "call1", Contender.NOW, null)));
  }

  @Test
  void recordThatGivesAnExtentTwiceIsDamage() throws Exception {
    LogState state = after(LogState.EMPTY, FEATURE, POOL, FILE);
    assertDamage(
        state, new Change.PutAllocation(new Allocation("w.1.raw", List.of(new Run(3, 1)))));
  }

  @Test
  void recordThatFreesExtentsOfAMappedFileIsDamage() throws Exception {
    LogState state = after(LogState.EMPTY, FEATURE, POOL, FILE, MAPPING);
    assertDamage(state, new Change.DropAllocation("v.1.qcow2"));
  }

  @Test
  void extentsWithoutTheFeatureAreDamage() {
    assertDamage(LogState.EMPTY, POOL);
    assertDamage(
        LogState.EMPTY,
        new Change.PutEpoch(new Epoch("mend-v", 1, WORKER, "call1", Contender.NOW, null)));
  }

  private static void assertDamage(LogState state, Change change) {
    assertThatThrownBy(() -> after(state, change))
        .isInstanceOf(LogDamagedException.class)
        .hasMessageContaining("its changes do not fit the state before");
  }
}
