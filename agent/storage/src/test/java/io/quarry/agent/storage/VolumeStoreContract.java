package io.quarry.agent.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.coordinator.plan.Layout;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Witness;
import org.junit.jupiter.api.Test;

/** The contract of each {@link VolumeStore}; the tests of a format extend this class. */
public abstract class VolumeStoreContract {
  private static final String NAME = "v.1.raw";
  private static final int SIZE = 1 << 20;

  /** A store without volumes. */
  protected abstract VolumeStore store();

  @Test
  void newVolumeReadsAsZeros() throws Exception {
    try (NativeFile volume = store().create(NAME, SIZE)) {
      volume.truncate(SIZE);
    }
    store().force();
    try (NativeFile volume = store().openRead(NAME)) {
      assertThat(volume.bytes(0, SIZE)).hasSize(SIZE).containsOnly(0);
    }
  }

  @Test
  void nameIsTakenUntilItIsRemoved() throws Exception {
    assertThat(store().names()).isEmpty();
    store().create(NAME, SIZE).close();
    assertThat(store().names()).containsExactly(NAME);
    assertThatThrownBy(() -> store().create(NAME, SIZE)).isInstanceOf(FileFailure.Exists.class);
    assertThat(store().remove(NAME)).isTrue();
    assertThat(store().remove(NAME)).isFalse();
    assertThat(store().names()).isEmpty();
    assertThatThrownBy(() -> store().openRead(NAME)).isInstanceOf(FileFailure.NotFound.class);
  }

  @Test
  void frozenVolumeIsRemovedToo() throws Exception {
    store().create(NAME, SIZE).close();
    store().freeze(NAME);
    assertThat(store().remove(NAME)).isTrue();
  }

  @Test
  void protectionChangesOnce() throws Exception {
    store().create(NAME, SIZE).close();
    store().freeze(NAME);
    assertThat(store().protect(NAME, true)).isFalse();
    assertThat(store().protect(NAME, false)).isTrue();
    assertThat(store().protect(NAME, false)).isFalse();
    assertThat(store().mayThaw(NAME)).isTrue();
  }

  @Test
  void witnessTellsAWriteAfterTheFreeze() throws Exception {
    store().create(NAME, SIZE).close();
    Witness witness = store().freeze(NAME);
    Volume frozen =
        new Volume(
            "v",
            "image",
            Layout.SPARSE_FILES.over(SIZE, null),
            Origin.NONE,
            Volume.Stage.READY,
            NAME,
            null,
            witness);
    assertThat(store().changed(frozen)).isNull();
    try (NativeFile volume = store().openWrite(NAME)) {
      volume.write(0, new byte[] {1});
      volume.sync();
    }
    store().freeze(NAME);
    assertThat(store().changed(frozen)).isNotNull().isNotEqualTo(witness);
  }

  @Test
  void onlyDataTakesSpace() throws Exception {
    assertThat(store().allocated(NAME)).isZero();
    try (NativeFile volume = store().create(NAME, SIZE)) {
      volume.write(0, new byte[SIZE]);
      volume.sync();
    }
    assertThat(store().allocated(NAME)).isBetween((long) SIZE, 2L * SIZE);
  }
}
