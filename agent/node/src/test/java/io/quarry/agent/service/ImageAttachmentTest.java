package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageAttachmentTest {
  @Test
  void libvirtIsToldTheWholeChain() {
    Chain chain =
        new Chain(
            List.of(
                new Chain.Layer(Path.of("/r/volumes/d & e.1.qcow2"), VolumeFormat.QCOW2),
                new Chain.Layer(Path.of("/r/volumes/s.1.qcow2"), VolumeFormat.QCOW2),
                new Chain.Layer(Path.of("/r/volumes/b.1.raw"), VolumeFormat.RAW)));
    assertThat(ImageAttachment.libvirt(chain, true))
        .isEqualTo(
            """
            <disk type="file" device="disk">
              <driver name="qemu" type="qcow2" cache="none"/>
              <source file="/r/volumes/d &amp; e.1.qcow2">
                <seclabel model="dac" relabel="no"/>
              </source>
              <backingStore type="file">
                <format type="qcow2"/>
                <source file="/r/volumes/s.1.qcow2">
                  <seclabel model="dac" relabel="no"/>
                </source>
                <backingStore type="file">
                  <format type="raw"/>
                  <source file="/r/volumes/b.1.raw">
                    <seclabel model="dac" relabel="no"/>
                  </source>
                  <backingStore/>
                </backingStore>
              </backingStore>
              <target dev="vda" bus="virtio"/>
              <readonly/>
            </disk>\
            """);
  }

  /** QEMU's driver for files refuses block devices. */
  @Test
  void devicesHaveWordsOfTheirOwn() {
    Chain chain =
        new Chain(
            List.of(
                new Chain.Layer(Path.of("/dev/quarry/k/d.1.qcow2"), VolumeFormat.QCOW2, DEVICES),
                new Chain.Layer(Path.of("/r/volumes/b.1.raw"), VolumeFormat.RAW)));
    JsonNode node = chain.blockdev(false);
    assertThat(node.at("/file/driver").asText()).isEqualTo("host_device");
    assertThat(node.at("/backing/file/driver").asText()).isEqualTo("file");
    assertThat(ImageAttachment.libvirt(chain, false))
        .isEqualTo(
            """
            <disk type="block" device="disk">
              <driver name="qemu" type="qcow2" cache="none"/>
              <source dev="/dev/quarry/k/d.1.qcow2">
                <seclabel model="dac" relabel="no"/>
              </source>
              <backingStore type="file">
                <format type="raw"/>
                <source file="/r/volumes/b.1.raw">
                  <seclabel model="dac" relabel="no"/>
                </source>
                <backingStore/>
              </backingStore>
              <target dev="vda" bus="virtio"/>
            </disk>\
            """);
  }

  private static final Chain.Place DEVICES =
      new Chain.Place() {
        @Override
        public NativeFile open(Path file) throws IOException {
          throw new IOException(file + " is not there");
        }

        @Override
        public long allocated(Path file) {
          return 0;
        }

        @Override
        public boolean isDevice() {
          return true;
        }
      };
}
