package io.quarry.agent.storage.nfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MountFailureTest {
  private static final NfsExport EXPORT = NfsExport.of("nas", "/srv/quarry", "");

  /** The error numbers are those of Linux. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          1 | REPOSITORY_UNUSABLE | security flavour | sec= of the export
          2 | REPOSITORY_UNUSABLE | nas has no export /srv/quarry | fsid=0
          13 | REPOSITORY_UNUSABLE | does not export /srv/quarry to this host | /etc/exports
          19 | REPOSITORY_UNUSABLE | no NFS client | modprobe
          22 | REPOSITORY_UNUSABLE | one of the options | kernel log
          93 | REPOSITORY_UNUSABLE | none of the versions 4.2, 4.1 | switch on
          110 | REPOSITORY_UNRESPONSIVE | cannot be reached: Connection timed out | 2049
          111 | REPOSITORY_UNRESPONSIVE | cannot be reached: Connection refused | 2049
          113 | REPOSITORY_UNRESPONSIVE | cannot be reached: No route to host | 2049
          5 | REPOSITORY_UNUSABLE | Input/output error | kernel log
          4711 | REPOSITORY_UNUSABLE | errno 4711 | kernel log
          """)
  void errorNumberTellsTheReasonAndTheRemedy(
      int errno, ErrorCode code, String reason, String remedy) {
    StorageException failure = MountFailure.of(errno, EXPORT, true);
    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure.subject()).isEqualTo("nas:/srv/quarry");
    assertThat(failure).hasMessageContaining(reason);
    assertThat(failure.remedy()).contains(remedy);
  }

  @Test
  void agentWithoutTheCapabilityIsTold() {
    StorageException failure = MountFailure.of(1, EXPORT, false);
    assertThat(failure).hasMessageContaining("may not mount");
    assertThat(failure.remedy()).contains("CAP_SYS_ADMIN");
  }

  @Test
  void portToReachIsTheChosenOne() {
    NfsExport export = NfsExport.of("nas", "/srv/quarry", "port=2050");
    assertThat(MountFailure.of(111, export, true).remedy()).contains("port 2050");
    assertThat(MountFailure.silent(export, 10).remedy()).contains("port 2050");
  }
}
