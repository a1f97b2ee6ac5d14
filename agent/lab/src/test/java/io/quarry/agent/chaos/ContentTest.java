package io.quarry.agent.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.chaos.Content.Write;
import io.quarry.common.model.ImageKind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ContentTest {
  private final Content content =
      Content.zeros(2).with(new Write(1, 1, 7)).grownTo(3).with(new Write(2, 1, 200));

  @Test
  void everyByteCounts() throws IOException {
    byte[] bytes = bytes();
    assertThat(compare(bytes)).isNull();
    bytes[2 * Content.CHUNK_BYTES - 1] = 0;
    assertThat(compare(bytes)).contains("byte 131071 is 0 and not 7");
  }

  @Test
  void lengthCounts() throws IOException {
    assertThat(compare(Arrays.copyOf(bytes(), 2 * Content.CHUNK_BYTES)))
        .contains("ends in chunk 2");
    assertThat(compare(Arrays.copyOf(bytes(), 3 * Content.CHUNK_BYTES + 1))).contains("more bytes");
  }

  @Test
  void chunkOfAFailedWriteMayBeAnythingUntilTheNextWrite() throws IOException {
    byte[] bytes = bytes();
    bytes[5] = 9;
    Content doubtful = content.withDoubt(new Write(0, 1, 3));
    assertThat(Guest.compare(new ByteArrayInputStream(bytes), doubtful)).isNull();
    Content again = doubtful.with(new Write(0, 1, 3));
    assertThat(Guest.compare(new ByteArrayInputStream(bytes), again)).contains("byte 0");
  }

  /** 20: no guest can have changed a snapshot, even where the content is unknown. */
  @Test
  void snapshotThatChangesIsSeenWhereAGuestFailedToo(@TempDir Path scratch) throws IOException {
    Content doubtful = content.withDoubt(new Write(0, 1, 3));
    Owned snapshot = new Owned("main", "s", ImageKind.SNAPSHOT, "maker", doubtful);
    Owned disk = new Owned("main", "d", ImageKind.VIRTUAL_DISK, "maker", doubtful);
    byte[] changed = bytes();
    changed[5] = 9;
    try (Guest guest = new Guest(scratch)) {
      for (Owned image : List.of(snapshot, disk)) {
        assertThat(guest.compare(new ByteArrayInputStream(bytes()), image)).isNull();
        assertThat(guest.compare(new ByteArrayInputStream(bytes()), image)).isNull();
      }
      assertThat(guest.compare(new ByteArrayInputStream(changed), disk)).isNull();
      assertThat(guest.compare(new ByteArrayInputStream(changed), snapshot))
          .contains("when it was first read");
    }
  }

  private @Nullable String compare(byte[] bytes) throws IOException {
    return Guest.compare(new ByteArrayInputStream(bytes), content);
  }

  private static byte[] bytes() {
    byte[] bytes = new byte[3 * Content.CHUNK_BYTES];
    Arrays.fill(bytes, Content.CHUNK_BYTES, 2 * Content.CHUNK_BYTES, (byte) 7);
    Arrays.fill(bytes, 2 * Content.CHUNK_BYTES, bytes.length, (byte) 200);
    return bytes;
  }
}
