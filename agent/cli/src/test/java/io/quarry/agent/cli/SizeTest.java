package io.quarry.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

final class SizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "512, 512",
    "1K, 1024",
    "1k, 1024",
    "512M, 536870912",
    "10G, 10737418240",
    "10g, 10737418240",
    "10GiB, 10737418240",
    "1.5G, 1610612736",
    "0.5K, 512",
    "2T, 2199023255552",
    "1P, 1125899906842624",
    "9223372036854775807, 9223372036854775807"
  })
  void readsBytesAndBinaryUnits(String text, long bytes) {
    assertThat(Size.parse(text)).isEqualTo(new Size(bytes));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", " ", "G", "-1", "+1", "1 G", "10GB", "10X", "1e3", "0x10", "1.G", ".5G", "512iB", "1,5G"
      })
  void refusesTextThatIsNoSize(String text) {
    assertThatThrownBy(() -> Size.parse(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("is not a size");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.0000001K", "0.3K", "8192P", "9223372036854775808"})
  void refusesAFractionOfAByte(String text) {
    assertThatThrownBy(() -> Size.parse(text)).isInstanceOf(TypeConversionException.class);
  }
}
