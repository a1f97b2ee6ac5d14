package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.SlotStore.Put;
import io.quarry.coordinator.log.SlotStore.Reserve;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The contract of stores whose names share the space of a filesystem and can be taken again. */
public abstract class FileLikeStoreContract extends SlotStoreContract {
  @Test
  void deletedNamesAreFreeAndMissingOnesDoNotMatter() throws Exception {
    store().putIfAbsent(NAME, bytes("one"));
    store().delete(List.of(Names.record(7), NAME));
    assertThat(store().read(NAME)).isNull();
    assertThat(store().list()).isEmpty();
    assertThat(store().putIfAbsent(NAME, bytes("two"))).isEqualTo(Put.CREATED);
  }

  @Test
  void ballastIsReleasedUntilItIsUsedUp() throws Exception {
    assertThat(store().releaseBallast(Reserve.ALL)).isFalse();
    assertThat(store().restoreBallast()).isTrue();
    assertThat(store().restoreBallast()).isTrue();
    assertThat(store().releaseBallast(Reserve.ALL)).isTrue();
    int releases = 1;
    while (store().releaseBallast(Reserve.ALL)) {
      assertThat(++releases).isLessThan(10_000);
    }
    assertThat(store().restoreBallast()).isTrue();
    assertThat(store().releaseBallast(Reserve.ALL)).isTrue();
  }
}
