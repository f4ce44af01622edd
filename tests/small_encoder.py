"""A sentence-transformers model of a few kilobytes with random weights, saved as a folder."""

from pathlib import Path

WIDTH = 16
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def save_small_encoder(folder: Path, *, seed: int = 0) -> Path:
    """Reads texts letter by letter; another seed, another model of the same size."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    bare = folder.with_name(f"{folder.name}-bare")
    bare.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS]
    vocabulary = bare / "vocab.txt"
    vocabulary.write_text("\n".join([*words, *(f"##{letter}" for letter in LETTERS)]) + "\n")
    torch.manual_seed(seed)
    BertModel(
        BertConfig(
            vocab_size=len(words) + len(LETTERS),
            hidden_size=WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=WIDTH,
            max_position_embeddings=64,
        )
    ).save_pretrained(bare)
    BertTokenizerFast(vocab_file=str(vocabulary)).save_pretrained(bare)
    SentenceTransformer(modules=[Transformer(str(bare), max_seq_length=64), Pooling(WIDTH)]).save(
        str(folder)
    )
    return folder
