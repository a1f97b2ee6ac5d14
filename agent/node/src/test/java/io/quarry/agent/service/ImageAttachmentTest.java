package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.OpenedImage.ChainLink;
import io.quarry.common.model.VolumeFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageAttachmentTest {
  @Test
  void libvirtIsToldTheWholeChain() {
    List<ChainLink> chain =
        List.of(
            new ChainLink("d", "/r/volumes/d & e.1.qcow2", VolumeFormat.QCOW2),
            new ChainLink("s", "/r/volumes/s.1.qcow2", VolumeFormat.QCOW2),
            new ChainLink("b", "/r/volumes/b.1.raw", VolumeFormat.RAW));
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
}
