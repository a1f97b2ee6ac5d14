package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataLabelTest {
  private static final String KEY = "00112233445566778899aabbccddeeff";
  private static final String OTHER = "ff112233445566778899aabbccddeeff";

  @TempDir private Path directory;

  @Test
  void labelNamesOneLog() throws IOException {
    Path file = directory.resolve("data");
    try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
      made.setLength(1 << 20);
    }
    try (FileBlockDevice device = FileBlockDevice.open(file)) {
      assertThat(DataLabel.owner(device, KEY)).isEqualTo(DataLabel.Owner.NOBODY);
      DataLabel.write(device, KEY);
      assertThat(DataLabel.owner(device, KEY)).isEqualTo(DataLabel.Owner.THIS_LOG);
      assertThat(DataLabel.owner(device, OTHER)).isEqualTo(DataLabel.Owner.ANOTHER_LOG);
      byte[] block = new byte[Layout.BLOCK];
      device.read(0, block);
      block[100] ^= 1;
      device.write(0, block);
      assertThatThrownBy(() -> DataLabel.owner(device, KEY))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("is damaged");
    }
  }
}
