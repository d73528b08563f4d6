"""What makes the configuration of any type of model a tiny one."""

from __future__ import annotations

from typing import Any

from tests.tiny import VOCABULARY

_SIZES: dict[int, str] = {
    VOCABULARY: "vocab_size vocab_size_per_layer_input decoder_vocab_size",
    64: "max_position_embeddings n_positions n_ctx max_seq_len context_length model_max_length "
    "max_target_positions original_max_position_embeddings embedding_dim "
    "prompt_mid_dim max_source_positions",
    48: "intermediate_size moe_intermediate_size ffn_dim decoder_ffn_dim encoder_ffn_dim "
    "shared_expert_intermediate_size shared_experts_intermediate_size shared_intermediate_size "
    "intermediate_size_mlp expert_ffn_hidden_size ffn_hidden_size dim_ff dff d_inner "
    "feed_forward_size dense_intermediate_size ffn_hidden_size "
    "moe_shared_expert_intermediate_size",
    32: "hidden_size d_model n_embd emb_dim embedding_size word_embed_proj_dim "
    "input_embedding_size output_embedding_size lru_width mamba_d_ssm "
    "attention_hidden_size router_hidden_size "
    "hidden_size_global pronunciation_embed_dim shape_embed_dim kv_lora_rank q_lora_rank",
    8: "head_dim d_head dim_head attention_head_size sliding_window sliding_window_size "
    "attention_window_size window_size local_attention local_attention_window_len "
    "attention_chunk_size index_head_dim qk_rope_head_dim qk_nope_head_dim "
    "v_head_dim linear_head_dim linear_key_head_dim linear_value_head_dim mamba_d_head "
    "mamba_head_dim swa_head_dim kv_channels mamba_d_state ssm_state_size state_size chunk_size "
    "mamba_chunk_size block_size local_attn_chunk_length lsh_attn_chunk_length keep_window_size "
    "hidden_size_per_layer_input laurel_rank gated_norm_rank d_rel rel_extent attention_head_dim "
    "time_step_rank mamba_dt_rank adapter_rank hc_lowrank index_block_size floor_scale "
    "ple_embed_dim block_multiple_of indexer_head_dim",
    16: "index_topk indexer_budget qk_head_dim o_lora_rank prompt_length "
    "position_bias_max_distance relative_max_distance ple_embed_dim",
    4: "num_key_value_heads num_kv_heads swa_num_key_value_heads num_query_groups "
    "num_attention_heads n_head n_heads num_heads attention_heads decoder_attention_heads "
    "encoder_attention_heads num_experts n_routed_experts num_local_experts moe_num_experts "
    "num_experts_per_layer linear_num_heads linear_num_key_heads linear_num_value_heads "
    "index_n_heads indexer_n_heads swa_num_attention_heads "
    "num_decoder_attention_heads num_encoder_attention_heads mamba_n_heads mamba_num_heads "
    "zero_expert_num rotary_dim num_hidden_layers n_layer n_layers num_layers num_blocks "
    "decoder_layers encoder_layers num_decoder_layers num_encoder_layers",
    2: "num_experts_per_tok num_experts_per_token moe_topk moe_k "
    "n_groups mamba_ngroups mamba_n_groups type_vocab_size expand mamba_expand "
    "indexer_compress_ratio hc_count hc_mult index_topk_blocks o_groups ple_layer_ids",
    1: "indexer_kv_heads n_group topk_group num_expert_group n_shared_experts num_shared_experts "
    "moe_num_shared_experts num_dense_layers first_k_dense_replace "
    "num_kv_shared_layers moe_layer_start_index",
}
SMALL: dict[str, Any] = {name: size for size, names in _SIZES.items() for name in names.split()} | {
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
    "is_decoder": True,
    "logits_scaling": 7.0,
    "logit_scale": 0.3,
    "lm_head_multiplier": 0.3,
    "dim_model_base": 16,
    "logits_mup_width_multiplier": 3.0,
    "final_logit_softcapping": 0.5,
    "logits_soft_cap": 0.5,
    "output_logit_soft_cap": 0.5,
}
"""Attribute of a configuration → its value in a tiny one."""

FROM_THE_REST = ("layer_types", "mlp_layer_types", "layers_block_type", "indexer_types")
"""Attributes that a configuration makes itself where they are None."""

_SHARED = {"num_kv_shared_layers": 0, "layer_types": ["sliding_attention", "full_attention"] * 2}
_ASSISTANT = _SHARED | {
    "num_kv_shared_layers": 4,
    "hidden_size_per_layer_input": 0,
    "vocab_size_per_layer_input": 0,
}
_HYBRID = ["linear_attention", "full_attention"] * 2
_DOTS = {
    f"swa_{name}": 4 if name.startswith("num") else 16 if name == "head_dim" else 8
    for name in [
        "num_attention_heads",
        "num_key_value_heads",
        "q_lora_rank",
        "kv_lora_rank",
        "head_dim",
        "qk_nope_head_dim",
        "v_head_dim",
    ]
}
CHANGES: dict[str, dict[str, Any]] = {
    "bailing_hybrid": {"layer_group_size": 2},
    "bamba": {"attn_layer_indices": [1, 3], "mamba_n_heads": 8, "mamba_n_groups": 1},
    "blt": {"encoder_hash_byte_group_vocab": 50},
    "cohere_compass_text": {
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1e4}}
    },
    "dbrx": {"attn_config": {"rope_theta": 1e4, "kv_n_heads": 4, "clip_qkv": 8}},
    "dots3_note": {
        "text_config": _DOTS,
        "vision_config": {
            "mlp_layer_types": ["dense"] * 4,
            "adapter_in_dim": 32,
            "adapter_out_dim": 32,
        },
        "audio_config": {"adapter_input_size": 32, "adapter_out_dim": 32},
    },
    "dots3_note_text": _DOTS,
    "gemma4": {"text_config": _SHARED},
    "gemma4_text": _SHARED,
    "gemma4_unified": {
        "text_config": _SHARED,
        "vision_config": {"mm_embed_dim": 32, "mm_posemb_size": 32, "output_proj_dims": 32},
    },
    "gemma4_unified_text": _SHARED,
    "gemma4_assistant": {"text_config": _ASSISTANT},
    "gemma4_unified_assistant": {"text_config": _ASSISTANT},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "granitemoehybrid": {"mamba_n_heads": 8, "layer_types": _HYBRID},
    "inkling_text": {"vocab_size": 300, "unpadded_vocab_size": VOCABULARY},
    "inkling2_text": {"vocab_size": 300, "unpadded_vocab_size": VOCABULARY},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "kimi_linear": {"layer_types": _HYBRID},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "mamba2": {"num_heads": 8, "head_dim": 8},
    "mimo_v2_flash": {"head_dim": 16, "num_attention_heads": 8},
    "nemotron_h": {"layers_block_type": ["linear_attention", "moe", "full_attention", "mlp"]},
    "prophetnet": {"relative_max_distance": 128},
    "qwen4_exp": {"text_config": {"ple_layer_ids": None}},
    "qwen4_exp_text": {"ple_layer_ids": None},
    "reformer": {"axial_pos_shape": [8, 8], "axial_pos_embds_dim": [16, 16]},
    "xlstm": {"embedding_dim": 32},
    "xmod": {"default_language": "en_XX"},
    "zamba": {"attention_hidden_size": 64, "layers_block_type": ["linear_attention", "hybrid"] * 2},
    "zamba2": {"layers_block_type": ["linear_attention", "hybrid"] * 2},
    "zaya": {"num_experts_per_tok": 1},
}
"""What single types want otherwise."""
