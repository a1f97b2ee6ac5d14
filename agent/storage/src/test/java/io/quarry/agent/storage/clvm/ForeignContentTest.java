package io.quarry.agent.storage.clvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.GenesisCodec;
import io.quarry.agent.storage.block.BlockConnection;
import io.quarry.agent.storage.block.FileBlockDevice;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ForeignContentTest {
  private static final String NAME = "storage/quarry-meta";
  private static final String KEY = "0123456789abcdef0123456789abcdef";
  private static final int SLOTS = 64;

  private final ForeignContent foreign =
      new ForeignContent(new HostTool(new Spawner(), Duration.ofMinutes(1)));

  @TempDir private Path directory;
  private Path device;

  @BeforeEach
  void makeDevice() throws IOException {
    device = directory.resolve("device");
    try (RandomAccessFile made = new RandomAccessFile(device.toFile(), "rw")) {
      made.setLength(BlockConnection.DEVICE_BYTES_MIN);
    }
  }

  private void write(long offset, byte[] bytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(device.toFile(), "rw")) {
      file.seek(offset);
      file.write(bytes);
    }
  }

  @Test
  void emptyDeviceIsFree() throws Exception {
    foreign.requireNone(device, NAME);
  }

  @Test
  void partitionTableIsNamed() throws Exception {
    byte[] entry = new byte[16];
    ByteBuffer.wrap(entry)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(4, (byte) 0x83)
        .putInt(8, 2048)
        .putInt(12, 1000);
    write(446, entry);
    write(510, new byte[] {0x55, (byte) 0xaa});
    assertRefused("the signature of dos");
  }

  @Test
  void encryptedDeviceIsNamed() throws Exception {
    write(0, new byte[] {'L', 'U', 'K', 'S', (byte) 0xba, (byte) 0xbe, 0, 1});
    assertRefused("the signature of crypto_LUKS");
  }

  @Test
  void swapSpaceIsNamed() throws Exception {
    // The program is of util-linux, as wipefs is.
    assertThat(new ProcessBuilder("mkswap", device.toString()).start().waitFor()).isZero();
    assertRefused("the signature of swap");
  }

  private void assertRefused(String what) {
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> foreign.requireNone(device, NAME));
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNUSABLE);
    assertThat(refusal.subject()).isEqualTo(NAME);
    assertThat(refusal).hasMessageContainingAll("is not empty", what);
    assertThat(refusal.remedy()).contains("wipefs --all /dev/storage/quarry-meta");
  }

  /** A creation that was interrupted may be begun again. */
  @Test
  void blocksOfALogAreNotForeign() throws Exception {
    try (FileBlockDevice made = FileBlockDevice.open(device);
        StateSlot slot = StateSlot.open(directory, KEY, KEY, NAME)) {
      var _ =
          new BlockConnection(ClvmConnection.FORMAT, made, KEY, slot)
              .create(GenesisCodec.fresh(ClvmConnection.FORMAT), SLOTS);
    }
    foreign.requireNone(device, NAME);
  }

  /** A device that cannot be read is not an empty one. */
  @Test
  void missingDeviceIsNotFree() {
    StorageException refusal =
        catchThrowableOfType(
            StorageException.class, () -> foreign.requireNone(directory.resolve("none"), NAME));
    assertThat(refusal).hasMessageContaining("wipefs does not say");
  }
}
