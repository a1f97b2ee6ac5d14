package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import io.quarry.coordinator.plan.Feature;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class UpgradeTest {
  private static final String KEY = "key-1";
  private static final List<String> ALL = Feature.names(Feature.KNOWN);

  private static HostRecord host(String hostId, String key, List<String> features) {
    return new HostRecord(
        hostId,
        hostId + "-1",
        "http://127.0.0.1:7070",
        Instant.EPOCH,
        Map.of(key, new RepositoryOnHost("main", "localfs-1.0", true)),
        null,
        "0.1",
        null,
        features);
  }

  @Test
  void hostThatUsesTheRepositoryAndIsTooOldIsNamed() {
    List<HostRecord> live = List.of(host("new", KEY, ALL), host("old", KEY, List.of()));
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> Upgrade.requireAllHosts(KEY, live));
    assertThat(refusal.code()).isEqualTo(ErrorCode.HOSTS_TOO_OLD);
    assertThat(refusal.subject()).isEqualTo("old");
    assertThat(refusal.getMessage()).contains("old (0.1)").doesNotContain("new (0.1)");
  }

  @Test
  void hostThatUsesAnotherRepositoryMayBeOld() {
    List<HostRecord> live = List.of(host("new", KEY, ALL), host("old", "key-2", List.of()));
    assertThatCode(() -> Upgrade.requireAllHosts(KEY, live)).doesNotThrowAnyException();
  }
}
