package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.data.os.Mount;
import io.quarry.agent.data.os.MountTable;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NfsSafeMountTest {
  private static final Path PLACE = Path.of("/mnt/my nfs/repository");

  /** A line of a Linux client's mountinfo. */
  private static final String LINE =
      "200 29 0:52 / /mnt/my\\040nfs rw,noatime shared:110 - nfs4 nas:/srv/quarry"
          + " rw,vers=4.2,rsize=1048576,wsize=1048576,namlen=255,hard,nosharecache,proto=tcp,"
          + "timeo=600,retrans=2,sec=sys,clientaddr=10.0.0.2,lookupcache=pos,local_lock=none,"
          + "addr=10.0.0.1";

  private static Mount mount(String line) {
    return MountTable.parse(line).at(Path.of("/mnt/my nfs")).orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(strings = {"lookupcache=pos", "lookupcache=none", "lookupcache=positive"})
  void safeMountIsAccepted(String lookups) {
    for (String version : new String[] {"vers=4.2", "vers=4.1"}) {
      String line = LINE.replace("lookupcache=pos", lookups).replace("vers=4.2", version);
      assertThatCode(() -> SafeMount.require(mount(line), PLACE)).doesNotThrowAnyException();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          vers=4.2 | vers=4.0 | vers=4.0 | no sessions
          vers=4.2 | vers=3 | vers=3 | locks of a dead host
          - nfs4 nas | - nfs nas | vers=4.2 | locks of a dead host
          ,hard, | ,soft, | soft | outcome is unknown
          ,hard, | ,softerr, | softerr | outcome is unknown
          local_lock=none | local_lock=flock | local_lock=flock | do not see the locks
          local_lock=none | local_lock=all | local_lock=all | do not see the locks
          ,hard, | ,hard,nocto, | nocto | old data
          ,lookupcache=pos, | , | lookupcache=all | half a minute
          """)
  void unsafeOptionIsNamedWithItsReasonAndItsRemedy(
      String safe, String unsafe, String option, String why) {
    StorageException refusal =
        catchThrowableOfType(
            StorageException.class,
            () -> SafeMount.require(mount(LINE.replace(safe, unsafe)), PLACE));
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNUSABLE);
    assertThat(refusal.subject()).isEqualTo(PLACE.toString());
    assertThat(refusal).hasMessageContaining("is mounted with " + option + ": ");
    assertThat(refusal).hasMessageContaining(why);
    assertThat(refusal.remedy())
        .contains(
            "nas:/srv/quarry /mnt/my\\040nfs nfs"
                + " vers=4.2,hard,nosharecache,lookupcache=positive,noatime,proto=tcp,sec=sys 0 0");
  }

  @Test
  void lineForFstabKeepsWhatReachesTheServer() {
    String line =
        LINE.replace("vers=4.2", "vers=4.1")
            .replace("proto=tcp", "proto=rdma,port=20049")
            .replace("sec=sys", "sec=krb5p")
            .replace(",hard,", ",soft,");
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> SafeMount.require(mount(line), PLACE));
    assertThat(refusal.remedy())
        .contains(
            "vers=4.1,hard,nosharecache,lookupcache=positive,noatime"
                + ",port=20049,proto=rdma,sec=krb5p 0 0");
  }

  @Test
  void directoryThatIsNotOnNfsIsNamed() {
    StorageException refusal =
        catchThrowableOfType(
            StorageException.class,
            () -> SafeMount.require(mount(LINE.replace("- nfs4", "- xfs")), PLACE));
    assertThat(refusal).hasMessageContaining("type xfs, not on NFS");
    assertThat(refusal.remedy()).contains("localfs-1.0");
  }
}
